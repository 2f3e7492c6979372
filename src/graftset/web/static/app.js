// Keys, live numbers, the caption's chips and the scrolling grid. Everything else works without this script: forms are
// forms and links are links. A key presses the element that carries it in `data-key`; nothing is known here of what it
// does. No inline handlers, no styles but through the CSSOM: the content security policy forbids the rest.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
document.documentElement.classList.add("scripted");

// A form was sent or a link followed: keys wait for the next page, so that none counts for a picture not seen.
let leaving = false;

// What a person wrote into the caption is never dropped for a key that was meant for something else.
const caption = $("#caption");
let derived = caption?.value; // what the chips made of it
const unsaved = () => Boolean(caption) && caption.value !== caption.defaultValue;
const hold = () => say("The caption is not saved. Ctrl Enter saves it; loading the page again drops it.", true);

addEventListener("submit", (event) => {
  if (leaving) return event.preventDefault(); // a second press of the same key
  const own = event.target.id === "caption-form";
  if (own ? event.submitter?.value === "fix" && caption.value !== derived : unsaved()) {
    event.preventDefault();
    return hold();
  }
  queueMicrotask(() => { if (!event.defaultPrevented) leaving = true; });
});
addEventListener("pageshow", (event) => {
  leaving = false;
  if (event.persisted) location.reload(); // kept by the browser: it may show an old verdict
});

// On a narrow screen the navigation scrolls: the present page is brought into it.
const present = $("nav [aria-current]");
if (present) $("nav").scrollLeft = present.offsetLeft - $("nav").clientWidth / 2;

function say(text, warning = false) {
  const status = $("#status");
  status.textContent = text;
  status.classList.toggle("warning", warning);
}

// What just happened is told once: reloading does not tell it again.
if (/[?&]did=/.test(location.search)) {
  const here = new URL(location.href);
  for (const name of ["did", "about", "verdict"]) here.searchParams.delete(name);
  history.replaceState(history.state, "", here);
}

async function ask(url, options = {}) {
  const response = await fetch(url, { headers: { accept: "application/json", "content-type": "application/json" }, ...options });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: { message: "graftset did not answer", remedy: "Is it still running?" } }));
  throw new Error(`${error.message}. ${error.remedy}`);
}

// --- keys ------------------------------------------------------------------------------------------------------------

const writes = (element) => element && (element.isContentEditable || element.tagName === "TEXTAREA" || element.tagName === "SELECT" || (element.tagName === "INPUT" && !["checkbox", "radio", "button"].includes(element.type)));
const pressable = (key) => $$("[data-key]").filter((e) => e.dataset.key.split(" ").includes(key) && e.checkVisibility({ visibilityProperty: true }));

addEventListener("keydown", (event) => {
  const at = document.activeElement;
  if (event.isComposing || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && at?.id === "caption") {
    event.preventDefault();
    return $("#caption-form [value=edit]").click();
  }
  if (event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") return escape(at);
  if (writes(at)) return;
  if (event.key === "Enter" && at && at !== document.body) return; // Enter belongs to what is focused
  if (leaving || event.repeat) return;
  // A menu that is open takes every key: 1 is its first reason there, and a letter begins a reason in words. An `a` that
  // was meant for "a mouth too many" must not approve.
  const menu = $("details.reject[open]");
  const open = pressable(event.key);
  const element = menu ? open.find((e) => menu.contains(e) && e.closest(".menu")) : open[0];
  if (menu && !element && event.key.length === 1 && event.key !== " ") return $("#reason", menu).focus(); // takes the letter
  if (!element) return;
  event.preventDefault();
  if (["TEXTAREA", "INPUT"].includes(element.tagName)) {
    element.focus();
    return element.setSelectionRange?.(element.value.length, element.value.length);
  }
  if (element.tagName === "A") {
    if (unsaved()) return hold();
    leaving = true;
  }
  element.click();
});

function escape(at) {
  const menu = $("details.reject[open]");
  if (menu) { menu.open = false; $("summary", menu).focus(); return; }
  if (writes(at)) return at.blur();
  const back = pressable("Escape")[0];
  if (back) back.click();
}

// A click elsewhere closes the menu.
addEventListener("click", (event) => {
  const menu = $("details.reject[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});

const compare = $("[data-does=compare]");
compare?.addEventListener("click", () => {
  const on = $("#pair").classList.toggle("comparing");
  compare.setAttribute("aria-pressed", on);
  say(on ? "The original lies over the candidate" : "The candidate again");
});

// --- evidence --------------------------------------------------------------------------------------------------------

for (const row of $$("[data-evidence]")) {
  const show = () => $(".evidence")?.setAttribute("d", row.dataset.evidence);
  const hide = () => $(".evidence")?.setAttribute("d", "");
  row.addEventListener("mouseenter", show);
  row.addEventListener("focus", show);
  row.addEventListener("mouseleave", hide);
  row.addEventListener("blur", hide);
}

// --- caption ---------------------------------------------------------------------------------------------------------

const form = $("#caption-form");
if (form) {
  const tokens = $("#tokens");
  let waiting = 0, asked = 0;
  const count = async (body) => {
    const number = ++asked;
    try {
      const answer = await (await ask(`/compose/${form.dataset.id}`, { method: "POST", body: JSON.stringify(body) })).json();
      if (number !== asked) return; // an older answer that came late
      if ("accepted" in body) caption.value = derived = answer.text;
      tokens.textContent = `${answer.tokens} of ${answer.limit} tokens`;
      tokens.classList.toggle("over", answer.tokens > answer.limit);
    } catch (problem) { say(problem.message, true); }
  };
  caption.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => count({ text: caption.value }), 120);
  });
  for (const chip of $$("[name=change]", form))
    chip.addEventListener("change", () => count({ accepted: $$("[name=change]:checked", form).map((box) => Number(box.value)) }));
  addEventListener("beforeunload", (event) => {
    if (!leaving && unsaved()) event.preventDefault();
  });
}

// --- live numbers ----------------------------------------------------------------------------------------------------

// Asked for every few seconds and not streamed: a stream would hold one of the six connections a browser opens to a
// server, in every tab.
let version = null;
async function live() {
  if (document.hidden) return;
  try {
    const now = await (await ask("/progress")).json();
    if (now.version === version) return;
    version = now.version;
    const decided = now.approved + now.rejected, all = decided + now.skipped + now.pending;
    // As the server writes it: other words or commas would shift the page under whoever reads it.
    const counted = (number, noun) => `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
    const tell = { sentence: now.sentence, plan: now.plan, tally: `${decided} decided, ${now.skipped} skipped, ${now.pending} pending${now.conflicts ? `, ${counted(now.conflicts, "conflict")}` : ""} of ${counted(all, "candidate")}` };
    for (const place of $$("[data-live]")) if (tell[place.dataset.live]) place.textContent = tell[place.dataset.live];
  } catch { /* the next press of a key tells */ }
}
if ($("[data-live]")) setInterval(live, 4000);

// --- the grid --------------------------------------------------------------------------------------------------------

// Ten thousand cells of one size: only those near the screen are in the page, each at the place its number gives. The
// height is that of all from the beginning, so nothing ever jumps. The server renders the cells, here as without script.
class Sheet {
  constructor(list) {
    this.list = list;
    this.total = Number(list.dataset.total);
    this.perPage = Number(list.dataset.perPage);
    this.pages = new Map(); // number -> cells, or a promise of them
    this.placed = new Map(); // index -> cell
    this.picked = new Set();
    this.at = (Number(list.dataset.page) - 1) * this.perPage;
    this.pages.set(Number(list.dataset.page), $$(".cell", list));
    list.classList.add("virtual");
    list.replaceChildren();
    this.measure();
    if (this.at) scrollTo(0, this.top + Math.floor(this.at / this.columns) * this.height);
    new ResizeObserver(() => this.resized()).observe(list);
    addEventListener("scroll", () => this.soon(), { passive: true });
    list.addEventListener("change", (event) => this.toggle(event.target));
    list.addEventListener("focusin", (event) => { const cell = event.target.closest(".cell"); if (cell) this.at = Number(cell.dataset.index); });
    list.closest("form").addEventListener("submit", (event) => this.send(event));
    $("[data-does=pick-page]").addEventListener("click", () => { this.draw(); this.pick(this.visible()); });
    $("[data-does=pick-none]").addEventListener("click", () => { this.picked.clear(); this.mark(); });
    this.draw();
  }

  get top() { return this.list.getBoundingClientRect().top + scrollY; }

  measure() {
    const width = this.list.clientWidth, gap = 8, least = width < 480 ? 104 : 112;
    this.columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
    this.cell = (width - gap * (this.columns - 1)) / this.columns;
    this.step = this.cell + gap;
    this.height = Math.round(this.cell) + 28 + gap; // the picture is square; below it stand score and verdict
    this.width = width;
    this.list.style.setProperty("--cell", `${this.cell}px`);
    this.list.style.setProperty("--height", `${this.height - gap}px`);
    this.list.style.height = `${Math.ceil(this.total / this.columns) * this.height - gap}px`;
  }

  resized() {
    if (this.list.clientWidth === this.width) return;
    const first = Math.floor(Math.max(0, scrollY - this.top) / this.height) * this.columns, held = scrollY > this.top;
    this.measure();
    for (const [index, cell] of this.placed) this.place(cell, index);
    if (held) scrollTo(0, this.top + Math.floor(first / this.columns) * this.height);
    this.draw();
  }

  soon() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => { this.drawing = false; this.draw(); });
  }

  range(spare) {
    const above = scrollY - this.top;
    const from = Math.max(0, Math.floor((above - spare) / this.height)) * this.columns;
    const to = Math.min(this.total, Math.ceil((above + innerHeight + spare) / this.height) * this.columns);
    return [from, to];
  }

  draw() {
    const [from, to] = this.range(2 * innerHeight);
    for (const [index, cell] of this.placed)
      if ((index < from || index >= to) && !cell.contains(document.activeElement)) { cell.remove(); this.placed.delete(index); }
    for (let page = Math.floor(from / this.perPage) + 1; (page - 1) * this.perPage < to; page++) {
      const cells = this.pages.get(page);
      if (Array.isArray(cells)) this.fill(page, cells, from, to);
      else if (!cells) this.load(page);
    }
    this.remember();
  }

  fill(page, cells, from, to) {
    const first = (page - 1) * this.perPage, fresh = document.createDocumentFragment();
    cells.forEach((cell, i) => {
      const index = first + i;
      if (index < from || index >= to || this.placed.has(index)) return;
      this.place(cell, index);
      this.placed.set(index, cell);
      const box = $("input", cell);
      if (box) box.checked = this.picked.has(box.value);
      fresh.append(cell);
    });
    this.list.append(fresh);
  }

  place(cell, index) {
    cell.dataset.index = index;
    cell.setAttribute("aria-setsize", this.total);
    cell.setAttribute("aria-posinset", index + 1);
    cell.style.transform = `translate(${(index % this.columns) * this.step}px, ${Math.floor(index / this.columns) * this.height}px)`;
  }

  load(page) {
    const query = new URLSearchParams({ q: this.list.dataset.query, sort: this.list.dataset.sort, page });
    this.pages.set(page, ask(`/sheet/cells?${query}`).then(async (response) => {
      const holder = document.createElement("template");
      holder.innerHTML = await response.text(); // our own markup, escaped by the server; the policy lets no script in it run
      if (Number(response.headers.get("x-total")) !== this.total) return location.reload(); // the list changed meanwhile
      this.pages.set(page, $$(".cell", holder.content));
      this.soon();
    }).catch((problem) => { this.pages.delete(page); say(problem.message, true); }));
  }

  // The address follows the scrolling, so that coming back comes back here.
  remember() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const here = new URL(location.href), page = Math.floor(this.range(0)[0] / this.perPage) + 1;
      if (page > 1) here.searchParams.set("page", page); else here.searchParams.delete("page");
      history.replaceState(history.state, "", here);
    }, 200);
  }

  visible() {
    const [from, to] = this.range(0);
    return [...this.placed].filter(([index]) => index >= from && index < to).map(([, cell]) => cell.dataset.id);
  }

  pick(ids) { for (const id of ids) this.picked.add(id); this.mark(); }

  toggle(box) {
    if (box.name !== "id") return;
    if (box.checked) this.picked.add(box.value); else this.picked.delete(box.value);
    this.mark();
  }

  mark() {
    for (const cell of this.placed.values()) { const box = $("input", cell); if (box) box.checked = this.picked.has(box.value); }
    $("#picked").textContent = this.picked.size;
    $(".bulk-actions").classList.toggle("any", this.picked.size > 0);
  }

  // What is sent is what was picked, and nothing that merely matches the filter.
  send(event) {
    const form = event.target, typed = form.elements.count;
    if (typed.value.trim() !== String(this.picked.size)) {
      event.preventDefault();
      say(`Type ${this.picked.size} beside the buttons to be sure: that many are selected.`, true);
      return typed.focus();
    }
    for (const cell of this.placed.values()) { const box = $("input", cell); if (box) box.disabled = true; }
    for (const id of this.picked) {
      const field = document.createElement("input");
      field.type = "hidden"; field.name = "id"; field.value = id;
      form.append(field);
    }
  }

  takes(key) {
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns, j: 1, k: -1 };
    if (key === "x") { const box = $("input", this.focused()); if (box) { box.click(); } return true; }
    if (!(key in moves)) return false;
    const inside = this.list.contains(document.activeElement);
    this.go(inside ? this.at + moves[key] : this.range(0)[0]);
    return true;
  }

  focused() { return this.placed.get(this.at) ?? this.list; }

  go(index) {
    this.at = Math.min(this.total - 1, Math.max(0, index));
    const y = this.top + Math.floor(this.at / this.columns) * this.height;
    if (y < scrollY + 60) scrollTo(0, y - 60);
    else if (y + this.height > scrollY + innerHeight - 90) scrollTo(0, y + this.height - innerHeight + 90);
    this.draw();
    $("a", this.focused())?.focus({ preventScroll: true });
  }
}

const list = $("#sheet");
const sheet = list ? new Sheet(list) : null;
if (sheet) addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writes(document.activeElement) || leaving) return;
  if (sheet.takes(event.key)) event.preventDefault();
});
