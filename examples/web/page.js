// The page: files that the visitor chooses, one run, the overlay of the class that is looked at.

import { answers } from "./answer.js";
import { openModel, run } from "./model.js";
import { draw, layOut } from "./overlay.js";
import { prepare, readPhotograph } from "./photograph.js";
import { Refusal } from "./refusal.js";

const MOST = 5; // classes to choose from
const named = (...names) => names.map((id) => document.getElementById(id));
const [model, sidecar, photo] = named("model", "sidecar", "photo");
const [status, result, canvas, unseen] = named("status", "result", "overlay", "unseen");
const [answer, classes, strength] = named("answer", "classes", "strength");

/** What is shown: the model, its input, the photograph, the classes, and the one that is looked at. */
export const shown = {
  model: null,
  sample: null,
  photograph: null,
  bitmap: null,
  found: [],
  chosen: null,
  layout: null,
};
const problems = { model: null, photo: null }; // why what was chosen cannot be used
let waiting = 0; // files that have been chosen and not yet been read
let last = Promise.resolve();

function say(text, alarm = false) {
  status.textContent = text;
  status.classList.toggle("alarm", alarm);
}

/** Do one thing after the other; what becomes of it is said when nothing else waits. */
function then(kind, work) {
  waiting++;
  result.hidden = true;
  say("Reading ...");
  last = last.then(async () => {
    problems[kind] = await reasonAgainst(work);
    if (--waiting > 0) return;
    const problem = problems.model ?? problems.photo ?? (await reasonAgainst(explain));
    if (problem) say(problem, true);
  });
}

/** Why something cannot be done, in words; null once it is done. */
async function reasonAgainst(work) {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    console.error(error);
    return `Something went wrong: ${error.message}`;
  }
}

const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

async function readModel() {
  const before = shown.model;
  shown.model = null;
  await before?.session.release();
  const [file] = model.files;
  if (!file) return;
  await painted();
  shown.model = await openModel(file, sidecar.files[0]);
}

async function readPhoto() {
  shown.photograph = null;
  shown.bitmap?.close();
  shown.bitmap = null;
  const [file] = photo.files;
  if (!file) return;
  shown.photograph = await readPhotograph(file);
  shown.bitmap = await createImageBitmap(file); // with its colours as they are meant, to look at
}

async function explain() {
  const missing = [shown.model ? "" : "a model", shown.photograph ? "" : "a photograph"].filter(Boolean);
  if (missing.length > 0) return say(`Choose ${missing.join(" and ")}.`);
  say("Running the model ...");
  await painted();
  const { description } = shown.model;
  shown.sample = prepare(shown.photograph, description.preprocessing);
  const started = performance.now();
  const outcome = await run(shown.model, shown.sample);
  const seconds = (performance.now() - started) / 1000;
  shown.found = answers(description, outcome);
  classes.replaceChildren(...shown.found.slice(0, MOST).map(entry));
  look(shown.found[0]);
  result.hidden = false;
  say(`The model took ${seconds.toFixed(2)} s for the class and its map together. ${shown.model.note}`);
}

/** Look at one class. */
function look(each) {
  shown.chosen = each;
  shown.layout = layOut(shown.photograph, each.map, shown.model.description);
  const score = words(each);
  answer.textContent = score ? `${each.label}, ${score}` : each.label;
  canvas.setAttribute("aria-label", `${photo.files[0].name}, coloured by what speaks for ${each.label}`);
  unseen.hidden = !shown.layout.levels.some(Number.isNaN);
  paint();
}

const paint = () => draw(canvas, shown.bitmap, shown.layout, strength.value / 100);
const words = ({ probability }) => (probability === null ? "" : probability.toFixed(3));

/** A line of the list of classes. */
function entry(each, place) {
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: "class", checked: place === 0 });
  radio.addEventListener("change", () => look(each));
  const [name, score, bar] = ["name", "score", "bar"].map((kind) =>
    Object.assign(document.createElement("span"), { className: kind }),
  );
  [name.textContent, score.textContent] = [each.label, words(each)];
  bar.style.setProperty("--part", `${100 * (each.probability ?? 0)}%`);
  const label = document.createElement("label");
  label.append(radio, name, score, bar);
  const line = document.createElement("li");
  line.append(label);
  return line;
}

model.addEventListener("change", () => then("model", readModel));
sidecar.addEventListener("change", () => then("model", readModel));
photo.addEventListener("change", () => then("photo", readPhoto));
strength.addEventListener("input", paint);
say("Choose a model and a photograph.");
