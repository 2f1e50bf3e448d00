// Before and after: the border follows the range input that lies over the pictures; "before" follows the clock of
// "after". Listeners sit on the root, which stays when the template is drawn again; media events do not bubble, so they
// are caught on their way down.
const find = (selector) => element.querySelector(selector);
const after = () => find('video.compare-after');
const before = () => find('.compare-before video');
const frame = () => 1 / (Number(props.value.fps) || 25);
const clock = (seconds) => {
  const tenths = Math.max(0, Math.round((seconds || 0) * 10)), whole = Math.floor(tenths / 10);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}.${tenths % 10}`;
};
const wipe = () => {
  const border = find('.compare-wipe');
  if (!border) return;
  find('.compare-pictures').style.setProperty('--wipe', `${border.value}%`);
  border.setAttribute('aria-valuetext', `${Math.round(border.value)} percent ${border.dataset.left}`);
};
const there = () => Number(props.value.start) + after().currentTime * Number(props.value.rate);
const follow = (tolerance) => {
  const one = before();
  if (!one || !after() || one.readyState < 1) return;
  const wanted = Math.min(there(), Math.max(0, one.duration - 0.001));
  if (Math.abs(one.currentTime - wanted) > tolerance) one.currentTime = wanted;
  const rate = Math.min(16, Math.max(0.0625, after().playbackRate * Number(props.value.rate)));
  if (one.playbackRate !== rate) one.playbackRate = rate;
};
const draw = () => {
  const player = after();
  if (!player || !find('.compare-time')) return;
  const long = player.duration || 0;
  find('.compare-time').max = Math.max(long, 0.001);
  find('.compare-time').value = player.currentTime;
  find('.compare-time').setAttribute('aria-valuetext', clock(player.currentTime));
  find('.compare-clock').textContent = `${clock(player.currentTime)} / ${clock(long)}`;
  const words = player.paused ? 'Play' : 'Pause';
  find('.compare-play').textContent = words;
  find('.compare-play').setAttribute('aria-label', words);
};
const run = () => {
  if (!after() || after().paused) return;
  follow(0.1);
  draw();
  requestAnimationFrame(run);
};
const stop = () => { after().pause(); before()?.pause(); };
const show = (seconds) => {
  stop();
  after().currentTime = Math.min(Math.max(0, seconds), Math.max(0, after().duration - frame() / 2));
};
const caught = {
  play: () => { follow(0.02); before()?.play().catch(() => {}); draw(); requestAnimationFrame(run); },
  pause: () => { before()?.pause(); follow(0.001); draw(); },
  seeked: () => { follow(after().paused ? 0.001 : 0.1); draw(); },
  loadedmetadata: () => { follow(0.001); draw(); },
};
for (const [name, act] of Object.entries(caught)) {
  element.addEventListener(name, (event) => event.target === after() && act(), true);
}
element.addEventListener('loadedmetadata', (event) => event.target === before() && after() && follow(0.001), true);
element.addEventListener('input', (event) => {
  if (event.target.matches('.compare-wipe')) wipe();
  if (event.target.matches('.compare-time') && after()) show(Number(event.target.value));
});
element.addEventListener('click', (event) => {
  if (!event.target.closest('.compare-play') || !after()) return;
  if (after().paused) after().play().catch(() => {}); else stop();
});
element.addEventListener('keydown', (event) => {
  // On the border and the clock the arrow keys belong to these; elsewhere they step from frame to frame.
  if (!after() || event.ctrlKey || event.target.matches('input') || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
  event.preventDefault();
  show(after().currentTime + (event.key === 'ArrowRight' ? frame() : -frame()));
});
const begin = () => { wipe(); if (after()) { draw(); after().play().catch(() => {}); } };
watch('value', begin);
begin();
