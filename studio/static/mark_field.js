// Gradio 6.31 forgets a click on a picture whose next version is just loading: clicks wait here, in their order.
if (!window.framewrightMarks) {
  window.framewrightMarks = true;
  const waiting = [];
  let handing = false;
  const loaded = (button) => Boolean(button.querySelector('.image-frame img')?.naturalWidth);
  const handOn = () => {
    const button = document.querySelector('.mark-field .image-container button');
    if (button && !loaded(button)) { setTimeout(handOn, 30); return; }
    handing = true;
    button?.dispatchEvent(new MouseEvent('click', {bubbles: true, ...waiting.shift()}));
    handing = false;
    if (button && waiting.length) setTimeout(handOn, 80);
    else waiting.length = 0;
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest && event.target.closest('.mark-field .image-container button');
    if (!button || handing || (!waiting.length && loaded(button))) return;
    event.stopPropagation();
    waiting.push({clientX: event.clientX, clientY: event.clientY});
    if (waiting.length === 1) setTimeout(handOn, 30);
  }, true);
}
