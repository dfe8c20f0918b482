// A photograph as an item of the list: what cards.py makes for those without a script.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const paragraph = (kind, ...children) => element("p", { class: kind }, ...children);
const bdi = (text) => element("bdi", {}, text);

function card(photograph) {
  const folder = folderName(photograph);
  const ending = [
    paragraph("name", element("bdi", {}, ...breakable(fileName(photograph)))),
    element("p", { class: "folder", title: folder }, bdi(folder)),
  ];
  const told = photograph.truth >= 0 && photograph.correct !== 1;
  const truth = told ? [paragraph("truth", "is ", bdi(truthName(photograph)))] : [];
  if (photograph.reason !== null) {
    const reason = plain(data.reasons[photograph.reason]);
    const parts = [paragraph("view none", "not explained"), paragraph("reason", bdi(reason))];
    return element("li", { class: "card failed" }, ...parts, ...truth, ...ending);
  }
  const [first, ...others] = photograph.maps;
  const answer = paragraph("answer", ...verdict(photograph.correct, first.rank), bdi(className(first)), " ");
  answer.append(element("span", { class: "score" }, scoreText(first.score)));
  return element("li", { class: "card" }, view(photograph, first), answer, ...bar(first.score), ...truth, ...also(others), ...ending);
}

// A name that may go on in another line where its parts end.
const breakable = (text) =>
  text.split(/(?<=[-_])/).flatMap((part) => (/[-_]$/.test(part) ? [part, element("wbr")] : [part]));

function view(photograph, map) {
  const url = pictureUrl(photograph, map);
  if (url === null) return paragraph("view none", "no picture");
  const alt = `Overlay of ${fileName(photograph)}: ${className(map)}`;
  return element("a", { class: "view", href: url }, element("img", { src: url, alt, loading: "lazy", decoding: "async" }));
}

function verdict(correct, rank) {
  const words = rank === 1 ? [] : [element("span", { class: "rank" }, `rank ${rank}`), " "];
  if (correct < 0) return words;
  const word = correct ? "right" : "wrong";
  return [...words, element("span", { class: `verdict ${word}` }, rank === 1 ? word : `answer ${word}`), " "];
}

function bar(score) {
  if (!data.shares || !isNumber(score)) return [];
  const filled = drawing("rect", { width: (100 * score).toFixed(1), height: 1 });
  return [drawing("svg", { class: "bar", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" }, filled)];
}

function also(maps) {
  if (!maps.length) return [];
  const words = maps.flatMap((map, at) => [at ? ", " : "also ", bdi(className(map)), ` ${scoreText(map.score)}`]);
  return [paragraph("others", ...words)];
}

// In place of a picture that is not there, or no longer.
function missing(image) {
  image.replaceWith(element("span", { class: "none" }, "picture not found"));
}
