"use strict";
// What the page holds: photographs unpacked, which of them match, in which order.

const data = JSON.parse(document.getElementById("photographs").textContent);
const photographs = data.photographs.map(unpacked);

// Rows of numbers and names, as packing.py describes them.
function unpacked(values, index) {
  const [folder, name, truth] = values;
  const photograph = { index, folder, name, truth, reason: null, correct: -1, seconds: -1, maps: [] };
  if (values.length === 4) return { ...photograph, reason: values[3] };
  [photograph.correct, photograph.seconds, photograph.width, photograph.height] = values.slice(3);
  for (let at = 7; at < values.length; at += 6) {
    const [number, score, rank, place, units, rest] = values.slice(at, at + 6);
    photograph.maps.push({ number, score, rank, place, units, rest });
  }
  return photograph;
}

// Lone surrogates stand for bytes that are no UTF-8: a text shows them as "?", an address has them.
const LONE = /\p{Surrogate}/gu;
const plain = (text) => text.replace(LONE, "?");
const quotedByte = (half) => `%${(half.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, "0")}`;
const quoted = (name) =>
  name.replace(/\p{Surrogate}|\P{Surrogate}+/gu, (part) =>
    part.search(LONE) < 0 ? encodeURIComponent(part) : quotedByte(part));

const className = (map) => plain(data.classes[map.number]);
const truthName = (photograph) => plain(data.truths[photograph.truth]);
const folderName = (photograph) => plain(data.folders[photograph.folder][0]);
const fileName = (photograph) => plain(photograph.name);

function pictureUrl(photograph, map) {
  if (map.place < 0) return null;
  return data.pictures[map.place] + quoted(photograph.name.slice(0, map.units) + map.rest);
}

function photographUrl(photograph) {
  const folder = data.folders[photograph.folder][1];
  return folder === null ? null : folder + quoted(photograph.name);
}

function scoreText(score) {
  if (typeof score === "string") return score;
  if (data.shares) return score > 0 && score < 0.0005 ? "< 0.001" : score.toFixed(3);
  return String(Number(score.toPrecision(4)));
}

const firstScore = (photograph) => photograph.maps[0]?.score;
const isNumber = (score) => typeof score === "number";

function searchedText(photograph) {
  photograph.text ??= [
    folderName(photograph),
    fileName(photograph),
    photograph.truth < 0 ? "" : truthName(photograph),
    photograph.reason === null ? "" : plain(data.reasons[photograph.reason]),
    ...photograph.maps.map(className),
  ].join("\n").toLowerCase();
  return photograph.text;
}

const SHOWN = {
  all: () => true,
  right: (photograph) => photograph.correct === 1,
  wrong: (photograph) => photograph.correct === 0,
  explained: (photograph) => photograph.reason === null,
  failed: (photograph) => photograph.reason !== null,
};

// Whether a photograph is wanted: numbers of class, truth and reason, null where any will do.
function matches(photograph, wanted) {
  if (!SHOWN[wanted.show](photograph)) return false;
  if (wanted.class !== null && photograph.maps[0]?.number !== wanted.class) return false;
  if (wanted.truth !== null && photograph.truth !== wanted.truth) return false;
  if (wanted.reason !== null && photograph.reason !== wanted.reason) return false;
  if (wanted.least !== null && !(isNumber(firstScore(photograph)) && firstScore(photograph) >= wanted.least)) return false;
  if (wanted.most !== null && !(isNumber(firstScore(photograph)) && firstScore(photograph) <= wanted.most)) return false;
  return wanted.words.every((word) => searchedText(photograph).includes(word));
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const alphabetical = (names) => {
  const places = new Array(names.length);
  [...names.keys()].sort((a, b) => collator.compare(names[a], names[b])).forEach((number, place) => { places[number] = place; });
  return places;
};
// What has no number to be ordered by comes last.
const ordered = (value, sign) => (photograph) => {
  const found = value(photograph);
  return isNumber(found) ? sign * found : Infinity;
};
const classPlaces = alphabetical(data.classes.map(plain));
const secondsOf = (photograph) => (photograph.seconds < 0 ? undefined : photograph.seconds);
const ORDERS = {
  given: { words: "as given", key: (photograph) => photograph.index },
  highest: { words: "highest score first", key: ordered(firstScore, -1) },
  lowest: { words: "lowest score first", key: ordered(firstScore, 1) },
  class: { words: "by class", key: (photograph) => (photograph.maps.length ? classPlaces[photograph.maps[0].number] : Infinity) },
  file: { words: "by file name", key: (photograph) => filePlaces()[photograph.index] },
  slowest: { words: "slowest first", key: ordered(secondsOf, -1) },
};

let knownFilePlaces = null;
function filePlaces() {
  knownFilePlaces ??= alphabetical(photographs.map((each) => `${fileName(each)}\n${folderName(each)}`));
  return knownFilePlaces;
}

// The photographs that are wanted, in the order that is wanted.
function chosen(wanted) {
  const found = photographs.filter((each) => matches(each, wanted));
  const { key } = ORDERS[wanted.order];
  return found.map((each) => [key(each), each]).sort(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1)).map(([, each]) => each);
}
