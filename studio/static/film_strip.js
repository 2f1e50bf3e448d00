// Listeners sit on the root, which stays when the template is drawn again.
const frameOf = (event) => event.target.closest && event.target.closest('.film-frame');
const videoOf = (event) => frameOf(event)?.querySelector('video');
element.addEventListener('click', (event) => {
  const frame = frameOf(event);
  if (frame) trigger('pick', {id: frame.dataset.id});
});
const play = (event) => {
  const video = videoOf(event);
  if (!video) return;
  video.muted = true;
  video.play().catch(() => {});
};
const pause = (event) => videoOf(event)?.pause();
element.addEventListener('mouseover', play);
element.addEventListener('focusin', play);
element.addEventListener('mouseout', pause);
element.addEventListener('focusout', pause);
