"""What the browser is told to do inside a page. Each is one function; nothing of a page is kept by it."""

from __future__ import annotations

CHROMIUM = "/usr/bin/chromium"
"""Where Debian's package puts the browser."""

READ = """(stamp) => {
  const textual = new Set(['text', 'password', 'email', 'tel', 'number', 'search', 'url']);
  let number = 0;
  for (const one of document.querySelectorAll('body *')) {
    one.removeAttribute('data-rapport-unseen');
    if (one.tagName === 'INPUT' && one.type === 'hidden') continue;
    let seen = one.checkVisibility({checkVisibilityCSS: true, checkOpacity: true});
    if (seen && one.tagName === 'INPUT' && textual.has(one.type)) {
      const box = one.getBoundingClientRect();
      seen = box.width > 2 && box.height > 2 && box.right + scrollX > 0 && box.bottom + scrollY > 0;
    }
    if (!seen && one.tagName !== 'OPTION') one.setAttribute('data-rapport-unseen', '');
    if (one.matches('input, select, textarea, button, a, [role=button], [role=link]')) one.setAttribute(stamp, String(++number));
  }
  return {
    html: document.documentElement.outerHTML, url: location.href, loaded: document.readyState === 'complete',
    other: !document.documentElement.hasAttribute('data-rapport-pressed'),
  };
}"""
"""Gives each control a number, marks what is not seen (a trap for machines is a box nobody sees), returns the page."""

MARK = "() => document.documentElement.setAttribute('data-rapport-pressed', '')"
"""Tells this page from the one that comes after it."""

KIND = """(one) => one.checkVisibility({checkVisibilityCSS: true, checkOpacity: true}) ? one.type || '' : ''"""
"""What a control is at this moment, whatever it was when the page was read."""

INSIDE = """() => {
  const tab = {};
  for (let i = 0; i < sessionStorage.length; i++) tab[sessionStorage.key(i)] = sessionStorage.getItem(sessionStorage.key(i));
  return {agent: navigator.userAgent, origin: location.origin, tab};
}"""

RESTORE_TAB = """(kept) => {
  const mine = kept[location.origin];
  if (!mine || sessionStorage.length) return;
  for (const [name, value] of Object.entries(mine)) sessionStorage.setItem(name, value);
}"""

PAINT = """(phrases) => {
  const painted = (text) => {
    const low = text.toLowerCase();
    const keep = new Array(text.length).fill(false);
    for (const phrase of phrases) {
      for (let at = low.indexOf(phrase); phrase && at >= 0; at = low.indexOf(phrase, at + 1)) {
        const edge = (c) => c === undefined || !/[\\p{L}\\p{N}]/u.test(c);
        if (edge(low[at - 1]) && edge(low[at + phrase.length])) keep.fill(true, at, at + phrase.length);
      }
    }
    return [...Array(text.length).keys()].map((i) => keep[i] || /[\\s.,:;!?]/.test(text[i]) ? text[i] : '\\u2588').join('');
  };
  const style = document.createElement('style');
  style.textContent = '*::before, *::after { content: none !important } * { background-image: none !important } '
    + 'img, svg, canvas, video, picture, iframe, object, embed { visibility: hidden !important }';
  const paint = (root) => {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const parent = walk.currentNode.parentElement;
      if (!parent || !['STYLE', 'SCRIPT'].includes(parent.tagName)) walk.currentNode.nodeValue = painted(walk.currentNode.nodeValue);
    }
    for (const one of root.querySelectorAll('*')) {
      one.removeAttribute('placeholder');
      if (one.tagName === 'INPUT') {
        if (['submit', 'button', 'reset'].includes(one.type)) one.value = painted(one.value);
        else if (one.type !== 'file') one.value = '';
      }
      if (one.tagName === 'TEXTAREA') one.value = '';
      if (one.shadowRoot) paint(one.shadowRoot);
      else if (one.tagName.includes('-')) one.style.setProperty('visibility', 'hidden', 'important');
    }
  };
  paint(document);
  document.head.append(style);
}"""
"""Paints over everything but the phrases, which are the definition's own words; boxes are emptied, pictures hidden."""
