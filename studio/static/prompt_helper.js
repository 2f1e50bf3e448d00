// A chip goes where the cursor is. A completion takes the place of the word that is being typed, and of the article
// before it when it brings its own.
const LIMIT = 8;
const box = () => document.querySelector('#' + props.value.target + ' textarea');
const write = (area, before, text, after) => {
  const left = before && !/[\s]$/.test(before) ? before + ' ' : before;
  const right = after && !/^[\s,.]/.test(after) ? ' ' + after : after;
  area.value = left + text + right;
  area.dispatchEvent(new Event('input', {bubbles: true}));
  const at = (left + text).length;
  area.focus();
  area.setSelectionRange(at, at);
};
const withoutArticle = (before, text) =>
  /^(a|an|some|the|a slice of) /.test(text) ? before.replace(/\b(a|an|some|the|a slice of)\s+$/i, '') : before;
const split = (area) => {
  const at = area.selectionEnd ?? area.value.length;
  const before = area.value.slice(0, at);
  const word = (before.match(/[a-z']+$/i) || [''])[0];
  return {word, before: before.slice(0, before.length - word.length), after: area.value.slice(at)};
};
const offer = () => {
  const area = box(), list = element.querySelector('.completions');
  if (!area || !list) return;
  const word = split(area).word.toLowerCase();
  const chips = props.value.groups.flatMap((group) => group.chips);
  const begins = (chip) => chip.label.toLowerCase().split(' ').some((part) => part.startsWith(word) && part !== word);
  const found = word.length < 2 || document.activeElement !== area ? [] : chips.filter(begins).slice(0, LIMIT);
  list.replaceChildren(...found.map((chip) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'chip completion';
    button.dataset.text = chip.text;
    button.textContent = chip.label;
    return button;
  }));
  list.hidden = found.length === 0;
};
element.addEventListener('mousedown', (event) => { if (event.target.closest('.chip')) event.preventDefault(); });
element.addEventListener('click', (event) => {
  const chip = event.target.closest('.chip'), area = box();
  if (!chip || !area) return;
  const text = chip.dataset.text;
  if (chip.classList.contains('completion')) {
    const parts = split(area);
    write(area, withoutArticle(parts.before, text), text, parts.after);
  } else {
    const at = document.activeElement === area ? area.selectionEnd : area.value.length;
    write(area, withoutArticle(area.value.slice(0, at), text), text, area.value.slice(at));
  }
  offer();
});
document.addEventListener('input', (event) => { if (event.target === box()) offer(); });
document.addEventListener('focusout', (event) => { if (event.target === box()) setTimeout(offer, 150); });
