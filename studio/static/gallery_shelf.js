// Which thumbnail is chosen is drawn here: were the shelf sent again, the keyboard would lose its place in it.
element.addEventListener('click', (event) => {
  const chosen = event.target.closest('.film-frame');
  if (!chosen) return;
  for (const frame of element.querySelectorAll('.film-frame')) {
    frame.classList.toggle('selected', frame === chosen);
    frame.setAttribute('aria-pressed', String(frame === chosen));
  }
  if (matchMedia('(max-width: 760px)').matches) lookAtViewer(60);
});
// On a phone the viewer moves above the shelf as soon as it shows something; before that there is nothing to look at.
const lookAtViewer = (tries) => {
  const viewer = document.getElementById('gallery-viewer');
  if (!viewer || tries === 0) return;
  if (viewer.querySelector('[data-state="empty"]')) setTimeout(lookAtViewer, 100, tries - 1);
  else viewer.scrollIntoView({block: 'start'});
};
