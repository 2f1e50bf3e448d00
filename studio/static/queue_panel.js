// Unfolds the queue, sends its buttons to the server, keeps the keyboard's place when it is drawn again, and tells a
// person who looks elsewhere that something is done. Listeners sit on the root, which stays.
const KEY = 'framewright-tell-';
const panel = () => element.querySelector('.queue-panel');
const tells = (what) => localStorage.getItem(KEY + what) === 'yes';
const TITLE = document.title;
let focused = '';

// What a button is, also after it was drawn again.
const nameOf = (node) => node?.dataset && (node.dataset.tell || `${node.dataset.id || ''} ${node.dataset.do || node.tagName}`);

element.addEventListener('focusin', (event) => { focused = nameOf(event.target); });
element.addEventListener('focusout', () => setTimeout(() => {
  if (document.activeElement !== document.body && !element.contains(document.activeElement)) focused = '';
}));
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-do]');
  if (button) trigger('act', {id: button.dataset.id, do: button.dataset.do});
});
element.addEventListener('change', (event) => {
  const {target} = event;
  if (target.matches('select')) trigger('act', {id: target.dataset.id, do: `priority ${target.value}`});
  if (target.dataset.tell) choose(target);
});

const choose = async (box) => {
  const what = box.dataset.tell;
  if (what === 'notify' && box.checked && 'Notification' in window && Notification.permission !== 'granted') {
    // Asked only now: a page that asks when it opens is refused for good.
    if (await Notification.requestPermission() !== 'granted') box.checked = false;
  }
  localStorage.setItem(KEY + what, box.checked ? 'yes' : 'no');
  if (what === 'sound' && box.checked) sound();
};

const sound = () => {
  const context = new AudioContext();
  const volume = new GainNode(context, {gain: 0.12});
  volume.connect(context.destination);
  for (const [pitch, at] of [[660, 0], [880, 0.14]]) {
    const tone = new OscillatorNode(context, {frequency: pitch});
    tone.connect(volume);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.12);
  }
  setTimeout(() => context.close(), 1000);
};

const tell = (status, title) => {
  const said = {done: 'Done', failed: 'Failed', interrupted: 'Interrupted'}[status];
  if (!said) return;
  document.title = `${said}: ${title} – ${TITLE}`;
  if (tells('sound')) sound();
  if (tells('notify') && 'Notification' in window && Notification.permission === 'granted' && !document.hasFocus()) {
    new Notification(`${said}: ${title}`, {body: TITLE, tag: 'framewright'}).onclick = () => window.focus();
  }
};

// What the studio found wrong when it started is shown to everybody once.
const NOTICE = 'framewright-notice-read';
const noticeOf = (now) => now.querySelector('.queue-notice')?.textContent || '';
const unfold = (open) => document.body.classList.toggle('queue-open', open);

let news = null;
let told = false;
const drawn = () => {
  const now = panel();
  if (!now) return;
  if (noticeOf(now) && localStorage.getItem(NOTICE) !== noticeOf(now)) unfold(true);
  document.querySelector('[data-action="toggle-queue"]')?.setAttribute('aria-expanded', String(document.body.classList.contains('queue-open')));
  for (const box of now.querySelectorAll('[data-tell]')) box.checked = tells(box.dataset.tell);
  if (focused && document.activeElement === document.body) {
    [...now.querySelectorAll('button, select, input')].find((node) => nameOf(node) === focused)?.focus();
  }
  const {news: at, newsStatus: status, newsTitle: title, running} = now.dataset;
  // The first answer of the server says what was before this page was opened. A render that goes into the trash makes
  // an older one the latest: no news.
  if (news !== null && at > news) {
    told = !document.hasFocus();
    tell(status, title);
  }
  if (now.dataset.answered) news = news === null || at > news ? at : news;
  if (!told) document.title = running ? `${running} – ${TITLE}` : TITLE;
};
window.addEventListener('focus', () => { told = false; drawn(); });
new MutationObserver(drawn).observe(element, {childList: true, subtree: true, attributes: true, attributeFilter: ['data-news', 'data-running', 'data-answered']});
drawn();

document.addEventListener('click', (event) => {
  const toggle = event.target.closest('[data-action="toggle-queue"]');
  if (!toggle) return;
  const open = unfold();
  if (!open && panel()) localStorage.setItem(NOTICE, noticeOf(panel()));
  toggle.setAttribute('aria-expanded', String(open));
  if (open) panel()?.querySelector('button, input')?.focus({preventScroll: true});
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !element.contains(document.activeElement)) return;
  document.body.classList.remove('queue-open');
  document.querySelector('[data-action="toggle-queue"]')?.focus();
});
