// What a page offers to people who see, hear or point differently; run in the page, it gives lists of what is wrong.
() => {
  const all = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility());

  const named = (e) => {
    const label = e.getAttribute("aria-label") || e.title || e.placeholder || "";
    const labels = e.labels ? [...e.labels].map((l) => l.textContent).join("") : "";
    const text = e.tagName === "IMG" ? (e.hasAttribute("alt") ? e.alt || "decoration" : "") : e.textContent;
    return Boolean((label + labels + text).trim());
  };
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=img], img";

  // WCAG 2.2, 1.4.3: the ratio of relative luminances of text and what lies behind it.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const parse = (color) => {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      known.set(color, [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255));
    }
    return known.get(color);
  };
  const over = (top, under) => under.map((v, i) => top[i] * top[3] + v * (1 - top[3]));
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (e) => over(parse(getComputedStyle(e).backgroundColor), e.parentElement ? behind(e.parentElement) : [1, 1, 1]);
  const poor = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim(), e = texts.currentNode.parentElement;
    if (!text || !e.checkVisibility({ opacityProperty: true }) || e.closest(".hidden, .skip")) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), under = behind(e);
    const [low, high] = [luminance(over(parse(style.color), under)), luminance(under)].sort((a, b) => a - b);
    const large = size >= 24 || (style.fontWeight >= 700 && size >= 18.66);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.add(`${ratio.toFixed(2)} ${e.tagName}.${e.className}: ${text.slice(0, 40)}`);
  }

  // WCAG 2.2, 2.5.8 asks for 24 px; what a thumb presses all the time is larger.
  const box = (e) => e.getBoundingClientRect();
  const small = all(".actions .button, .presets a, nav a, .pick").filter((e) => box(e).height < 32 || box(e).width < 24);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  return {
    nameless: all(controls).filter((e) => !named(e)).map((e) => e.outerHTML.slice(0, 160)),
    poor: [...poor],
    small: small.map((e) => e.outerHTML.slice(0, 160)),
    repeated: ids.filter((id, i) => ids.indexOf(id) !== i),
    width: document.documentElement.scrollWidth,
  };
}
