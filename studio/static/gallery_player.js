// A video that is gone through frame by frame: buttons, a slider whose steps are frames, the keys , and . anywhere in
// the tab. Listeners sit on the root, which stays when the template is drawn again; media events do not bubble, so they
// are caught on their way down.
const find = (selector) => element.querySelector(selector);
const video = () => find('video');
const rate = () => Number(props.value.fps) || 25;
const last = () => Math.max(0, Math.round((video().duration || 0) * rate()) - 1);
const place = () => Math.min(last(), Math.floor(video().currentTime * rate() + 0.01));
const draw = () => {
  if (!video()) return;
  const seconds = (place() / rate()).toFixed(2);
  find('.frame-time').max = last();
  find('.frame-time').value = place();
  find('.frame-time').setAttribute('aria-valuetext', `frame ${place() + 1} of ${last() + 1}, ${seconds} seconds`);
  find('.frame-clock').textContent = `${seconds} s · frame ${place() + 1} of ${last() + 1}`;
  const words = video().paused ? 'Play' : 'Pause';
  find('.frame-play').textContent = words;
  find('.frame-play').setAttribute('aria-label', words);
};
// The middle of a frame: at its border the browser may show the one before.
const show = (frame) => {
  video().pause();
  video().currentTime = (Math.min(Math.max(0, frame), last()) + 0.5) / rate();
};
const run = () => {
  if (!video() || video().paused) return;
  draw();
  requestAnimationFrame(run);
};
const caught = {play: run, pause: draw, seeked: draw, loadedmetadata: draw};
for (const [name, act] of Object.entries(caught)) {
  element.addEventListener(name, (event) => event.target === video() && act(), true);
}
element.addEventListener('input', (event) => {
  if (event.target.matches('.frame-time') && video()) show(Number(event.target.value));
});
element.addEventListener('click', (event) => {
  if (!video()) return;
  const step = event.target.closest('[data-step]');
  if (step) show(place() + Number(step.dataset.step));
  if (event.target.closest('.frame-play, video')) {
    if (video().paused) video().play().catch(() => {}); else video().pause();
  }
});
const steps = {',': -1, '.': 1};
const arrows = {ArrowLeft: -1, ArrowRight: 1};
const typed = (event) => {
  if (!element.isConnected) { document.removeEventListener('keydown', typed); return; }
  if (!video() || video().offsetParent === null || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('textarea, input:not([type="range"], [type="radio"])')) return;
  // The arrow keys belong to whatever has the focus, unless that is the player.
  const step = steps[event.key] || (element.contains(event.target) && !event.target.matches('input') && arrows[event.key]);
  if (!step) return;
  event.preventDefault();
  show(place() + step);
};
document.addEventListener('keydown', typed);
const begin = () => { if (video()) { draw(); video().play().catch(() => {}); } };
watch('value', begin);
begin();
