// One photograph in large, beside its map: a dialog, with the next one at the arrow keys.

const dialog = document.querySelector("dialog");
const large = {
  title: dialog.querySelector("#large-title"),
  back: dialog.querySelector("[name=back]"),
  forth: dialog.querySelector("[name=forth]"),
  close: dialog.querySelector("[name=close]"),
  figures: [...dialog.querySelectorAll("figure")],
  maps: dialog.querySelector(".maps"),
  facts: dialog.querySelector("dl"),
  opened: null,
  list: [],
};
const canBeOpened = (photograph) => photograph.maps.some((map) => map.place >= 0);

// Open a photograph of a list; left and right of it are the others of that list.
function enlarge(photograph, list) {
  large.list = list.filter(canBeOpened);
  turnTo(photograph);
  dialog.showModal();
}

function turnTo(photograph) {
  large.opened = photograph;
  const place = large.list.indexOf(photograph);
  const of = `${(place + 1).toLocaleString("en")} of ${large.list.length.toLocaleString("en")}`;
  large.title.replaceChildren(element("bdi", {}, ...breakable(fileName(photograph))), element("span", { class: "aside" }, of));
  disable(large.back, place === 0);
  disable(large.forth, place === large.list.length - 1);
  const [figure] = large.figures;
  showIn(figure, photographUrl(photograph), `Photograph ${fileName(photograph)}`, "Photograph");
  large.maps.replaceChildren(...photograph.maps.map((map) => mapButton(photograph, map)));
  large.maps.hidden = photograph.maps.length === 1;
  showMap(photograph, photograph.maps.find((map) => map.place >= 0));
  large.facts.replaceChildren(...facts(photograph));
  const next = large.list[place + 1];
  if (next) new Image().src = pictureUrl(next, next.maps.find((map) => map.place >= 0)); // so that it is there at once
}

// A button that has the focus hands it on: from a disabled one no key would get here.
function disable(button, isEnd) {
  if (isEnd && document.activeElement === button) large.close.focus();
  button.disabled = isEnd;
}

function showIn(figure, url, alt, caption) {
  const image = element("img", { alt });
  image.addEventListener("error", () => {
    image.replaceWith(paragraph("none", "not found, or no picture that a browser shows"));
  });
  figure.hidden = url === null;
  if (url !== null) image.src = url;
  figure.firstElementChild.replaceWith(image);
  figure.lastElementChild.textContent = caption;
}

function showMap(photograph, map) {
  const caption = `Map of ${className(map)}, score ${scoreText(map.score)}`;
  showIn(large.figures[1], pictureUrl(photograph, map), `Overlay of ${fileName(photograph)}: ${className(map)}`, caption);
  for (const [at, button] of [...large.maps.children].entries()) {
    button.setAttribute("aria-pressed", String(photograph.maps[at] === map));
  }
}

function mapButton(photograph, map) {
  const score = element("span", { class: "score" }, scoreText(map.score));
  const button = element("button", { type: "button" }, `${map.rank} `, bdi(className(map)), " ", score);
  button.disabled = map.place < 0;
  button.addEventListener("click", () => showMap(photograph, map));
  return button;
}

function facts(photograph) {
  const found = [["File", [folderName(photograph), fileName(photograph)].filter(Boolean).join("/")]];
  if (photograph.truth >= 0) found.unshift(["Truth", truthName(photograph)]);
  if (photograph.correct >= 0) found.unshift(["Answer", photograph.correct ? "right" : "wrong"]);
  if (photograph.width > 0) found.push(["Size", `${photograph.width} x ${photograph.height}`]);
  if (photograph.seconds >= 0) found.push(["Time", timeText(photograph.seconds)]);
  return found.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, bdi(value))));
}

function timeText(seconds) {
  return seconds < 1 ? `${(1000 * seconds).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

function moveBy(step) {
  const next = large.list[large.list.indexOf(large.opened) + step];
  if (next) turnTo(next);
}

large.back.addEventListener("click", () => moveBy(-1));
large.forth.addEventListener("click", () => moveBy(1));
large.close.addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") moveBy(-1);
  if (event.key === "ArrowRight") moveBy(1);
});
