// Pictures { width, height, channels, data } in another size, by `preprocessing.interpolation`.
//
// Levels are a Uint8Array, which stay whole, or a Float32Array. A canvas scales in ways of its own, so that it
// is done here: `linear` and `nearest` exactly, `area` in the steps of OpenCV's INTER_AREA.

import { rint, within } from "./numbers.js";
import { taps } from "./taps.js";

/** A picture of rows and columns; the same one where it has them already. */
export function scale(picture, rows, columns, interpolation) {
  const { width, height } = picture;
  if (width === columns && height === rows) return picture;
  if (interpolation === "nearest") return nearest(picture, rows, columns);
  if (interpolation === "area" && rows * columns < width * height) return area(picture, rows, columns);
  const levels =
    interpolation === "cubic"
      ? separable(picture, taps(rows, 0, rows, height, true), taps(columns, 0, columns, width, true))
      : linear(picture, rows, columns);
  return { width: columns, height: rows, channels: picture.channels, data: levels };
}

/** An empty picture with levels of the kind of another one's. */
export function blank(picture, rows, columns) {
  const data = new picture.data.constructor(rows * columns * picture.channels);
  return { width: columns, height: rows, channels: picture.channels, data };
}

/** A part of a picture. */
export function cut(picture, left, top, width, height) {
  const part = blank(picture, height, width);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * picture.width + left) * picture.channels;
    part.data.set(picture.data.subarray(start, start + width * picture.channels), row * width * picture.channels);
  }
  return part;
}

/** Numbers as levels of the kind that a picture has. */
function asLevels(picture, numbers) {
  return picture.data instanceof Uint8Array
    ? Uint8Array.from(numbers, (each) => within(rint(each), 0, 255))
    : Float32Array.from(numbers);
}

function nearest(picture, rows, columns) {
  const place = (at, count, given) => Math.ceil(((2 * at + 1) * given) / (2 * count)) - 1;
  const scaled = blank(picture, rows, columns);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const line = place(row, rows, picture.height) * picture.width;
    for (let column = 0; column < columns; column++) {
      const from = (line + place(column, columns, picture.width)) * picture.channels;
      for (let channel = 0; channel < picture.channels; channel++) scaled.data[to++] = picture.data[from + channel];
    }
  }
  return scaled;
}

/** Each pixel between four, in parts of 2 * count: whole numbers, so that levels are exact. */
function linear(picture, rows, columns) {
  const { width, height, channels, data } = picture;
  const place = (at, count, given) => {
    const parts = within((2 * at + 1) * given - count, 0, 2 * count * (given - 1));
    const first = Math.floor(parts / (2 * count));
    return [first, Math.min(first + 1, given - 1), parts % (2 * count)];
  };
  const across = Array.from({ length: columns }, (_, column) => place(column, columns, width));
  const found = new Float64Array(rows * columns * channels);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const [above, below, down] = place(row, rows, height);
    for (const [left, beside, right] of across) {
      for (let channel = 0; channel < channels; channel++) {
        const level = (line, column) => data[(line * width + column) * channels + channel];
        const upper = level(above, left) * (2 * columns - right) + level(above, beside) * right;
        const lower = level(below, left) * (2 * columns - right) + level(below, beside) * right;
        found[to++] = (upper * (2 * rows - down) + lower * down) / (4 * rows * columns);
      }
    }
  }
  return asLevels(picture, found);
}

/** Lines and then columns, each from the few that its taps name; in the kind of levels that the picture has. */
function separable(picture, down, across) {
  const { width, channels, data } = picture;
  const rows = down.length;
  const columns = across.length;
  const lines = new Float64Array(rows * width * channels);
  for (let row = 0; row < rows; row++) {
    for (const [from, weight] of down[row]) {
      for (let each = 0; each < width * channels; each++) {
        lines[row * width * channels + each] += data[from * width * channels + each] * weight;
      }
    }
  }
  const found = new Float64Array(rows * columns * channels);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (const [from, weight] of across[column]) {
        for (let channel = 0; channel < channels; channel++) {
          found[(row * columns + column) * channels + channel] +=
            lines[(row * width + from) * channels + channel] * weight;
        }
      }
    }
  }
  return asLevels(picture, found);
}

/** The mean of what a pixel covers, as INTER_AREA has it. */
function area(picture, rows, columns) {
  const { width, height, channels } = picture;
  const [across, down] = [1 / (columns / width), 1 / (rows / height)];
  const scaled = { width: columns, height: rows, channels };
  if (across < 1 || down < 1) {
    scaled.data = separable(picture, partTaps(rows, height), partTaps(columns, width));
  } else if (Number.isInteger(across) && Number.isInteger(down)) {
    scaled.data = wholeBlocks(picture, rows, columns, across, down);
  } else {
    scaled.data = weighted(picture, areaTaps(rows, height, down), areaTaps(columns, width, across));
  }
  return scaled;
}

function wholeBlocks(picture, rows, columns, across, down) {
  const { width, channels, data } = picture;
  const share = Math.fround(1 / (across * down));
  const halfUp = across === 2 && down === 2 && data instanceof Uint8Array; // OpenCV adds 2 and shifts
  const found = new Float64Array(rows * columns * channels);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let y = row * down; y < (row + 1) * down; y++) {
          for (let x = column * across; x < (column + 1) * across; x++) {
            sum += data[(y * width + x) * channels + channel];
          }
        }
        found[to++] = halfUp ? (sum + 2) >> 2 : Math.fround(Math.fround(sum) * share);
      }
    }
  }
  return asLevels(picture, found);
}

/** Of each pixel, which of the given ones it covers, and by which part of itself. */
function areaTaps(count, given, scale) {
  return Array.from({ length: count }, (_, at) => {
    const [from, to] = [at * scale, at * scale + scale];
    const length = Math.min(scale, given - from);
    const last = Math.min(Math.floor(to), given - 1);
    const first = Math.min(Math.ceil(from), last);
    const found = [];
    if (first - from > 1e-3) found.push([first - 1, Math.fround((first - from) / length)]);
    for (let each = first; each < last; each++) found.push([each, Math.fround(1 / length)]);
    if (to - last > 1e-3) found.push([last, Math.fround(Math.min(to - last, 1, length) / length)]);
    return found;
  });
}

/** Sums in float32, each step rounded, as OpenCV adds them up. */
function weighted(picture, down, across) {
  const { width, channels, data } = picture;
  const line = new Float32Array(across.length * channels);
  const sum = new Float32Array(line.length);
  const found = new Float32Array(down.length * line.length);
  down.forEach((lines, row) => {
    sum.fill(0);
    lines.forEach(([from, share], place) => {
      line.fill(0);
      across.forEach((pixels, column) => {
        for (const [pixel, weight] of pixels) {
          const start = (from * width + pixel) * channels;
          for (let channel = 0; channel < channels; channel++) {
            line[column * channels + channel] += Math.fround(data[start + channel] * weight);
          }
        }
      });
      for (let each = 0; each < sum.length; each++) {
        const part = Math.fround(line[each] * share);
        sum[each] = place === 0 ? part : sum[each] + part;
      }
    });
    found.set(sum, row * sum.length);
  });
  return asLevels(picture, found);
}

/** INTER_AREA where one side grows: between two pixels, by the part of each that is covered. */
function partTaps(count, given) {
  const scale = 1 / (count / given);
  return Array.from({ length: count }, (_, at) => {
    const first = Math.floor(at * scale);
    const over = Math.fround(at + 1 - (first + 1) * (count / given));
    const far = first >= given - 1 || over <= 0 ? 0 : over - Math.floor(over);
    const near = Math.min(first, given - 1);
    return far === 0 ? [[near, 1]] : [[near, 1 - far], [near + 1, far]];
  });
}
