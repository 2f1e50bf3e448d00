() => {
  // Ctrl+Enter renders, in the tab that is open. Arrow keys step through a video that has the focus.
  const THEME_KEY = 'framewright-theme';
  const setDark = (dark) => document.body.classList.toggle('dark', dark);
  const remembered = localStorage.getItem(THEME_KEY);
  if (remembered) setDark(remembered === 'dark');

  // Fields that a person has set, so that the form of last time does not go over them (form_memory.py).
  window.framewrightTouched = new Set();
  const touch = (event) => {
    const field = event.target.closest && event.target.closest('.field');
    if (field) window.framewrightTouched.add(field.id);
  };
  document.addEventListener('input', touch, true);
  document.addEventListener('mousedown', (event) => event.target.closest('[role="option"]') && touch(event), true);

  // After Render: go to the field that is wrong, or on a phone to the stage.
  const wait = (tries) => {
    const tab = [...document.querySelectorAll('.workbench')].find((one) => one.offsetParent !== null);
    if (!tab || tries === 0) return;
    const wrong = tab.querySelector('.field.invalid, .file-field:has(.field-error)');
    if (wrong) {
      const folded = wrong.closest('.gr-accordion');
      if (folded && wrong.offsetParent === null) folded.querySelector('.label-wrap').click();
      wrong.scrollIntoView({block: 'center'});
      (wrong.querySelector('input, textarea') || wrong).focus({preventScroll: true});
    } else if (tab.querySelector('.progress')) {
      if (matchMedia('(max-width: 760px)').matches) tab.querySelector('.showing').scrollIntoView({block: 'start', behavior: 'smooth'});
    } else {
      setTimeout(wait, 150, tries - 1);
    }
  };

  document.addEventListener('click', (event) => {
    if (event.target.closest('.render-button')) setTimeout(wait, 300, 40);
    const toggle = event.target.closest('[data-action="toggle-theme"]');
    if (toggle) {
      const dark = !document.body.classList.contains('dark');
      setDark(dark);
      localStorage.setItem(THEME_KEY, dark ? 'dark' : 'light');
    }
    const example = event.target.closest('.example[data-prompt]');
    if (example) {
      const tab = example.closest('.workbench');
      const area = tab && tab.querySelector('.prompt textarea, .scenes textarea');
      if (area) {
        area.value = example.dataset.prompt;
        area.dispatchEvent(new Event('input', {bubbles: true}));
        area.focus();
      }
    }
  });

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      const buttons = [...document.querySelectorAll('.render-button')];
      const button = buttons.find((one) => one.offsetParent !== null);
      if (button) {
        event.preventDefault();
        button.click();
      }
    }
    const video = event.target.closest && event.target.closest('.stage')?.querySelector('.stage-video video');
    if (video && !event.ctrlKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      event.preventDefault();
      event.stopPropagation();
      const rate = Number(video.closest('.workbench')?.querySelector('.field.fps input[type="number"]')?.value) || 24;
      video.pause();
      const step = event.key === 'ArrowRight' ? 1 / rate : -1 / rate;
      video.currentTime = Math.min(Math.max(0, video.currentTime + step), Math.max(0, video.duration - 0.001));
    }
  }, true);
}
