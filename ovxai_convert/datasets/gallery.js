// The list: its controls, its pages, the panels that choose of it, and the address that remembers all that.

const form = document.querySelector(".tools");
const control = form.elements;
const list = document.querySelector(".cards");
const counted = document.querySelector(".count");
const nothing = document.querySelector(".nothing");
const pager = document.querySelector(".pager");
const heading = document.getElementById("listing-title");
const everything = counted.textContent;
const [one, many] = data.things;
const number = (value) => value.toLocaleString("en");

let found = photographs;
let page = 1; // of the list, counted from 1
let shown = photographs.slice(0, data.listed); // on that page, in the order of the cards

// Controls and what they offer.

function offer(select, options) {
  select.replaceChildren(...options.map(([value, words]) => new Option(words, value)));
}

function offerNames(select, any, names, numbers) {
  const times = new Map();
  for (const each of numbers) times.set(each, (times.get(each) ?? 0) + 1);
  const sorted = [...times.keys()].sort((a, b) => collator.compare(names[a], names[b]));
  offer(select, [["", any], ...sorted.map((each) => [each, `${plain(names[each])} (${number(times.get(each))})`])]);
  select.closest("label").hidden = sorted.length === 0;
}

function offerAll() {
  const failed = photographs.some((each) => each.reason !== null);
  const shows = [["all", "all"]];
  if (data.judged) shows.push(["right", "right answers"], ["wrong", "wrong answers"]);
  if (failed) shows.push(["explained", "explained"], ["failed", "not explained"]);
  offer(control.show, shows);
  control.show.closest("label").hidden = shows.length === 1;
  const explained = photographs.filter((each) => each.maps.length);
  offerNames(control.class, "any", data.classes, explained.map((each) => each.maps[0].number));
  offerNames(control.truth, "any", data.truths, photographs.map((each) => each.truth).filter((each) => each >= 0));
  offerNames(control.reason, "any", data.reasons, photographs.map((each) => each.reason).filter((each) => each !== null));
  offer(control.order, Object.entries(ORDERS).map(([value, { words }]) => [value, words]));
}

const chosenNumber = (text) => (text === "" ? null : Number(text));

function wanted() {
  return {
    words: control.words.value.toLowerCase().split(/\s+/).filter(Boolean),
    show: control.show.value,
    class: chosenNumber(control.class.value),
    truth: chosenNumber(control.truth.value),
    reason: chosenNumber(control.reason.value),
    least: chosenNumber(control.least.value),
    most: chosenNumber(control.most.value),
    order: control.order.value,
  };
}

// Choosing and showing.

function choose({ toPage = 1 } = {}) {
  const asked = wanted();
  found = chosen(asked);
  turnPage(toPage);
  drawChart();
  for (const button of picks) button.setAttribute("aria-pressed", String(isPicked(button, asked)));
}

const pages = () => Math.max(1, Math.ceil(found.length / data.listed));

function turnPage(to) {
  page = Math.min(Math.max(1, Math.trunc(to) || 1), pages());
  const before = (page - 1) * data.listed;
  const next = found.slice(before, before + data.listed);
  const same = next.length === shown.length && next.every((each, at) => each === shown[at]);
  if (!same) list.replaceChildren(...next.map(card));
  shown = next;
  sayCount(before);
  nothing.hidden = found.length > 0;
  pager.hidden = pages() === 1;
  const [back, field, forth] = pager.querySelectorAll("button, input");
  back.disabled = page === 1;
  forth.disabled = page === pages();
  field.value = page;
  field.max = pages();
  pager.querySelector("span").textContent = `of ${number(pages())}`;
  remember();
}

function sayCount(before) {
  const parts = found.length === photographs.length ? [everything] : [];
  if (!parts.length) {
    const where = document.querySelector(".parts") ? " on this page" : "";
    parts.push(`${number(found.length)} of ${number(photographs.length)} ${photographs.length === 1 ? one : many}${where}`);
  }
  if (pages() > 1) parts.push(`listed ${number(before + 1)} to ${number(before + shown.length)}`);
  counted.textContent = parts.join(", ");
}

function goTo(to) {
  turnPage(to);
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "start" });
}

function clear() {
  form.reset();
  choose();
}

// The address keeps what is chosen, by names: numbers differ from report to report.

const NAMED = { class: data.classes, truth: data.truths, reason: data.reasons };

function remember() {
  const kept = new URLSearchParams();
  for (const field of form.querySelectorAll("[name]")) {
    const names = NAMED[field.name];
    const isFirst = field.tagName === "SELECT" ? field.selectedIndex <= 0 : field.value === "";
    if (!isFirst) kept.set(field.name, names ? chosenName(field, names) : field.value);
  }
  if (page > 1) kept.set("page", page);
  const text = kept.toString();
  if (text !== location.hash.slice(1)) history.replaceState(null, "", `#${text}`);
  for (const link of document.querySelectorAll(".parts a")) {
    kept.delete("page");
    link.hash = kept.toString();
  }
}

const chosenName = (field, names) => field.selectedOptions[0].dataset.name ?? plain(names[field.value]);

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  form.reset();
  for (const [key, value] of kept) {
    const field = control.namedItem(key);
    const names = NAMED[key];
    if (field && names) choice(field, names.findIndex((each) => plain(each) === value), value);
    else if (field) field.value = value;
    if (field?.tagName === "SELECT" && field.selectedIndex < 0) field.selectedIndex = 0;
  }
  choose({ toPage: Number(kept.get("page")) });
}

// Choose of a list by number; what this page has nothing of is offered, too, and matches nothing.
function choice(field, value, words) {
  if (![...field.options].some((each) => each.value === String(value))) {
    const option = new Option(`${words} (0)`, value);
    option.dataset.name = words;
    field.add(option);
  }
  field.value = value;
  field.closest("label").hidden = false;
}

// Panels: what they count can be chosen.

const picks = [];
for (const cell of document.querySelectorAll(".panel [data-class], .panel [data-reason]")) {
  const holder = cell.querySelector(".what") ?? cell;
  const button = element("button", { type: "button", class: "pick" });
  button.append(...holder.childNodes);
  holder.append(button);
  button.picked = {
    class: cell.dataset.class === undefined ? null : Number(cell.dataset.class),
    truth: cell.dataset.truth === undefined ? null : Number(cell.dataset.truth),
    reason: cell.dataset.reason === undefined ? null : data.reasons.findIndex((each) => plain(each) === cell.dataset.reason),
  };
  button.addEventListener("click", () => pick(button));
  picks.push(button);
}

const isPicked = (button, asked) => Object.entries(button.picked).every(([key, value]) => asked[key] === value);

function pick(button) {
  const again = isPicked(button, wanted());
  form.reset();
  for (const [key, value] of Object.entries(button.picked)) {
    if (value !== null && !again) choice(control[key], value, plain(NAMED[key][value] ?? button.textContent));
  }
  choose();
  heading.scrollIntoView({ block: "start" });
}

// The chart of scores: all of the page behind those that match.

const BINS = 20;
const chart = document.querySelector(".chart");
const scores = photographs.map(firstScore).filter(isNumber);
const low = data.shares ? 0 : scores.reduce((a, b) => Math.min(a, b), Infinity);
const high = data.shares ? 1 : scores.reduce((a, b) => Math.max(a, b), -Infinity);
const edge = (bin) => Number((low + ((high - low) * bin) / BINS).toPrecision(4));

function bins(of) {
  const times = new Array(BINS).fill(0);
  for (const each of of) {
    const score = firstScore(each);
    if (isNumber(score)) times[Math.min(BINS - 1, Math.floor((BINS * (score - low)) / (high - low || 1)))] += 1;
  }
  return times;
}

const allBins = bins(photographs);

function drawChart() {
  const most = Math.max(...allBins);
  const drawn = [[allBins, "all"], [bins(found), "found"]].flatMap(([times, kind]) =>
    times.map((count, at) => {
      const height = count ? Math.max(1, (78 * count) / most) : 0;
      return drawing("rect", { class: kind, x: 10 * at + 0.5, y: 80 - height, width: 9, height });
    }));
  chart.replaceChildren(...drawn);
  const sorted = found.map(firstScore).filter(isNumber).sort((a, b) => a - b);
  const median = sorted.length ? `, half of them up to ${scoreText(sorted[Math.floor((sorted.length - 1) / 2)])}` : "";
  chart.setAttribute("aria-label", `Scores of ${number(sorted.length)} ${many}${median}`);
}

chart.addEventListener("click", (event) => {
  const box = chart.getBoundingClientRect();
  const bin = Math.min(BINS - 1, Math.max(0, Math.floor((BINS * (event.clientX - box.left)) / box.width)));
  control.least.value = edge(bin);
  control.most.value = edge(bin + 1);
  choose();
});

// What happens when.

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => choose());
for (const button of document.querySelectorAll("[name=clear]")) button.addEventListener("click", clear);
pager.querySelector("[name=back]").addEventListener("click", () => goTo(page - 1));
pager.querySelector("[name=forth]").addEventListener("click", () => goTo(page + 1));
pager.querySelector("input").addEventListener("change", (event) => goTo(Number(event.target.value)));
window.addEventListener("hashchange", recall);
list.addEventListener("error", (event) => { if (event.target.tagName === "IMG") missing(event.target); }, true);
list.addEventListener("click", (event) => {
  const link = event.target.closest("a.view");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  enlarge(shown[[...list.children].indexOf(link.closest("li"))], found);
});
dialog.addEventListener("close", () => {
  turnPage(1 + Math.floor(found.indexOf(large.opened) / data.listed));
  list.children[shown.indexOf(large.opened)]?.querySelector("a.view")?.focus();
});

offerAll();
for (const image of list.querySelectorAll("img")) if (image.complete && !image.naturalWidth) missing(image);
form.hidden = false;
document.querySelector(".scores").hidden = !scores.length;
const ends = document.querySelectorAll(".ends span");
[ends[0].textContent, ends[1].textContent] = [edge(0), edge(BINS)];
recall();
