const draw = () => {
  const words = element.querySelector('.papers-search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const status = element.querySelector('.papers-status').value;
  let shown = 0;
  element.querySelectorAll('.paper').forEach((row) => {
    const text = row.textContent.toLowerCase();
    const match = words.every((word) => text.includes(word)) && (!status || row.dataset.status === status);
    row.hidden = !match;
    shown += match ? 1 : 0;
  });
  element.querySelector('.papers-count').textContent = shown + ' shown';
};
element.addEventListener('input', draw);
