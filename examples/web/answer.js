// From the outputs to classes, the probability of each, and their maps: `scores` and `saliency_map`.

/** Classes that have a map, the most probable first: [{ index, label, probability, map }]. */
export function answers(description, { count, outputs }) {
  const probability = probabilities(description, outputs, count);
  const found = maps(description, outputs, probability);
  const ranked = description.scores.probabilities === "rank";
  return found
    .map(({ index, map }) => ({
      index,
      label: description.labels?.[index] ?? `class ${index}`,
      probability: ranked ? null : (probability.get(index) ?? 0),
      order: probability.get(index) ?? 0,
      map,
    }))
    .sort((one, other) => other.order - one.order);
}

/** Probability by class, of the first sample; where the model names only the best, 1 / place. */
function probabilities({ scores, outputs: told }, outputs, count) {
  const { index } = told.find((each) => each.name === scores.output);
  const all = Array.from(outputs[index].data, Number);
  let values = all.slice(0, all.length / count);
  if (scores.probabilities === "rank") return new Map(values.map((each, place) => [each, 1 / (1 + place)]));
  if (scores.probabilities === "exp") values = values.map(Math.exp);
  else if (scores.probabilities === "sigmoid") values = values.map(sigmoid);
  else if (scores.probabilities === "softmax") values = isDistribution(values) ? values : softmax(values);
  else if (scores.probabilities === "groups") values = byGroups(values, scores.groups);
  if (scores.meaning === "binary") values = [1 - values[0], values[0]];
  return new Map(values.entries());
}

const sigmoid = (value) => 1 / (1 + Math.exp(-value));

function softmax(values) {
  const highest = Math.max(...values);
  const powers = values.map((each) => Math.exp(each - highest));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((each) => each / sum);
}

function isDistribution(values) {
  const sum = values.reduce((one, other) => one + other);
  return Math.min(...values) >= 0 && Math.abs(sum - 1) <= 1e-3;
}

/** The softmax of each group and the sigmoid of the others; all stay where they are that already. */
function byGroups(values, groups) {
  const inGroup = (at) => groups.some(([first, behind]) => at >= first && at < behind);
  const alone = values.filter((_, at) => !inGroup(at));
  const share = alone.every((each) => each >= 0 && each <= 1);
  if (share && groups.every(([first, behind]) => isDistribution(values.slice(first, behind)))) return values;
  const found = values.map(sigmoid);
  for (const [first, behind] of groups) {
    found.splice(first, behind - first, ...softmax(values.slice(first, behind)));
  }
  return found;
}

/** Each class with its map { rows, columns, data }; where one map is for all, each has that. */
function maps(description, outputs, probability) {
  const { saliency_map: saliency, saliency_classes: indices, scores } = description;
  const { data, dims } = outputs[saliency.index];
  const [rows, columns] = dims.slice(-2);
  const cells = rows * columns;
  const grid = (place) => ({ rows, columns, data: data.slice(place * cells, (place + 1) * cells) });
  if (!saliency.axes.includes("class")) return [...probability.keys()].map((index) => ({ index, map: grid(0) }));
  if (scores.meaning === "binary") return [{ index: 0, map: turned(grid(0)) }, { index: 1, map: grid(0) }];
  let classes = saliency.classes.indices;
  if (saliency.classes === "all") classes = Array.from({ length: scores.class_count }, (_, index) => index);
  else if ("top_k" in saliency.classes) classes = Array.from(outputs[indices.index].data, Number).slice(0, dims[1]);
  return classes.map((index, place) => ({ index, map: grid(place) }));
}

/** The map of no, of that of yes; one that is the same everywhere stays. */
function turned(map) {
  if (!(map.data instanceof Uint8Array)) return { ...map, data: map.data.map((each) => -each) };
  const flat = map.data.every((each) => each === map.data[0]);
  return flat ? map : { ...map, data: map.data.map((each) => 255 - each) };
}
