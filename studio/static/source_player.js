// The player of a file that was brought: in and out points by handles, by keys, or at the player's time. The number
// fields of the form are the truth; what is set here is written into them as if it had been typed.
const find = (selector) => element.querySelector(selector);
const video = () => find('video');
const field = (name) => document.querySelector(`#${props.value.task}-${name} input[type="number"]`);
const duration = () => Number(props.value.duration) || 0;
const frame = () => 1 / (Number(props.value.fps) || 25);
const clock = (seconds) => {
  const hundredths = Math.max(0, Math.round(seconds * 100)), whole = Math.floor(hundredths / 100);
  const rest = `${String(whole % 60).padStart(2, '0')}.${String(hundredths % 100).padStart(2, '0')}`;
  return `${Math.floor(whole / 60)}:${rest}`;
};
const points = () => {
  const given = (name, otherwise) => {
    const input = field(name);
    return input && input.value !== '' ? Number(input.value) : otherwise;
  };
  const start = Math.min(Math.max(0, given('start', 0)), duration());
  return {start, end: Math.min(Math.max(start, given('end', duration())), duration())};
};
const draw = () => {
  const range = find('.trim');
  if (!range) return;
  const {start, end} = points();
  find('.trim-in').value = start;
  find('.trim-out').value = end;
  const share = (seconds) => `${(100 * seconds / Math.max(duration(), 1e-6)).toFixed(2)}%`;
  range.style.setProperty('--from', share(start));
  range.style.setProperty('--to', share(end));
  find('.trim-in').setAttribute('aria-valuetext', clock(start));
  find('.trim-out').setAttribute('aria-valuetext', clock(end));
  find('.trim-words').textContent = `${clock(start)} to ${clock(end)}, ${clock(end - start)} of ${clock(duration())}`;
};
const type = (name, text) => {
  const input = field(name);
  if (!input || input.value === text) return;
  input.value = text;
  input.dispatchEvent(new Event('input', {bubbles: true}));
};
const write = (name, seconds) => {
  const {start, end} = points(), step = frame();
  if (name === 'start') {
    type('start', String(Number(Math.max(0, Math.min(seconds, end - step)).toFixed(3))));
  } else {
    const at = Math.min(duration(), Math.max(seconds, start + step));
    type('end', at >= duration() - step / 2 ? '' : String(Number(at.toFixed(3))));
  }
  draw();
};
const show = (seconds) => {
  const player = video();
  if (!player) return;
  player.pause();
  player.currentTime = Math.min(Math.max(0, seconds), Math.max(0, duration() - frame() / 2));
};
element.addEventListener('input', (event) => {
  if (event.target.matches('.trim-in')) { write('start', Number(event.target.value)); show(points().start); }
  if (event.target.matches('.trim-out')) { write('end', Number(event.target.value)); show(points().end - frame() / 2); }
});
element.addEventListener('click', (event) => {
  const set = event.target.closest('[data-set]'), other = event.target.closest('[data-file]');
  if (set && set.dataset.set === 'whole') { type('start', '0'); type('end', ''); draw(); }
  else if (set && video()) write(set.dataset.set, video().currentTime);
  if (other) trigger('pick', {file: Number(other.dataset.file)});
});
element.addEventListener('keydown', (event) => {
  if (!event.target.matches('video') || event.ctrlKey || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
  event.preventDefault();
  show(video().currentTime + (event.key === 'ArrowRight' ? frame() : -frame()));
});
document.addEventListener('input', (event) => {
  if (!element.contains(event.target) && event.target.closest(`#${props.value.task}-start, #${props.value.task}-end`)) draw();
});
// Settings that are used again come into the number fields without any event.
let drawn = '';
setInterval(() => {
  if (!find('.trim') || element.offsetParent === null) return;
  const {start, end} = points(), now = `${start} ${end}`;
  if (now !== drawn) { drawn = now; draw(); }
}, 500);
watch('value', draw);
draw();
