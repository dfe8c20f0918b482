// From an image file to the input: `preprocessing`, in the order of its `order`.

import { cropSize, letterbox, scaledSize } from "./boxes.js";
import { rint, within } from "./numbers.js";
import { Refusal } from "./refusal.js";
import { blank, cut, scale } from "./resize.js";

const PNG = [0x89, 0x50, 0x4e, 0x47];
const PNG_BITS = 24; // where a PNG tells how many bits a level has

/** Element types that the page makes, by their names in the description: array, and name in ONNX Runtime. */
const TYPES = {
  f32: [Float32Array, "float32"],
  f64: [Float64Array, "float64"],
  u8: [Uint8Array, "uint8"],
  i8: [Int8Array, "int8"],
  u16: [Uint16Array, "uint16"],
  i16: [Int16Array, "int16"],
  u32: [Uint32Array, "uint32"],
  i32: [Int32Array, "int32"],
};
const LIMITS = { u8: [0, 255], i8: [-128, 127], u16: [0, 65535], i16: [-32768, 32767] };
LIMITS.u32 = [0, 2 ** 32 - 1];
LIMITS.i32 = [-(2 ** 31), 2 ** 31 - 1];

/** The levels of an image file, upright: { width, height, channels: 3, data }, red, green, blue. */
export async function readPhotograph(file) {
  const head = new Uint8Array(await file.slice(0, PNG_BITS + 1).arrayBuffer());
  if (PNG.every((byte, at) => head[at] === byte) && head[PNG_BITS] === 16) {
    throw new Refusal(`${file.name} has 16 bits a level, of which browsers give 8. Save it with 8 bits.`);
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Refusal(`${file.name} cannot be read as an image.`);
  }
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const levels = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < levels.length; from += 4) {
    if (levels[from + 3] !== 255) {
      throw new Refusal(`${file.name} has transparent parts, whose levels browsers do not tell.`);
    }
    for (let channel = 0; channel < 3; channel++) data[to++] = levels[from + channel];
  }
  return { width, height, channels: 3, data };
}

/** What a description asks for that the page cannot do, as a Refusal. */
export function checkPreprocessing(how) {
  if (how === null) throw new Refusal("The model does not say how a photograph becomes its input.");
  if (!["rgb", "bgr", "grey"].includes(how.colour)) {
    throw new Refusal(`The model takes colours as ${how.colour}, which this page does not make.`);
  }
  if (!(how.element_type in TYPES)) {
    throw new Refusal(`The model takes numbers of type ${how.element_type}, which this page does not make.`);
  }
}

/** One sample: { type, dims, data }, dims without the batch's axis. */
export function prepare(photo, how) {
  checkPreprocessing(how);
  const pixels = resized(withLevels(photo, how), how);
  const [Numbers, type] = TYPES[how.element_type];
  const { width, height } = pixels;
  const { channels } = how;
  const sample = new Numbers(width * height * channels);
  const known = how.colour === "grey" ? channels : Math.min(channels, 3); // a fourth one is cut off by the graph
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < known; channel++) {
      const at = how.layout === "NCHW" ? channel * width * height + pixel : pixel * channels + channel;
      sample[at] = asNumber(colour(pixels, pixel, channel, how), channel, how);
    }
  }
  const dims = how.layout === "NCHW" ? [channels, height, width] : [height, width, channels];
  return { type, dims, data: sample };
}

/** Levels as they are resized: brought to 0 to 255 where others are told, whole where they are rounded. */
function withLevels(photo, how) {
  if (!how.levels && how.rounded) return photo;
  const [lowest, highest] = how.levels ?? [0, 255];
  const level = (each) => ((within(each, lowest, highest) - lowest) * 255) / (highest - lowest);
  return { ...photo, data: Float32Array.from(photo.data, level) };
}

function resized(photo, how) {
  if (how.resize === "none") return photo;
  const [rows, columns] = how.size;
  const { width, height } = photo;
  const to = (picture, down, across) => scale(picture, down, across, how.interpolation);
  if (how.resize === "stretch") return to(photo, rows, columns);
  if (how.resize === "letterbox") {
    const box = letterbox(height, width, rows, columns, how.pad.where);
    const outer = blank(photo, rows, columns);
    outer.data.fill(how.pad.value);
    const inner = to(photo, box.height, box.width);
    for (let row = 0; row < box.height; row++) {
      const line = inner.data.subarray(row * box.width * 3, (row + 1) * box.width * 3);
      outer.data.set(line, ((box.top + row) * columns + box.left) * 3);
    }
    return outer;
  }
  const scaled = how.resize_to ? to(photo, ...scaledSize(height, width, how.resize_to)) : photo;
  const [across, down] = how.resize_to ? [columns, rows] : cropSize(height, width, rows, columns);
  const [left, top] = [Math.floor((scaled.width - across) / 2), Math.floor((scaled.height - down) / 2)];
  if (left < 0 || top < 0) throw new Refusal("The box to cut out is larger than the scaled photograph.");
  return to(cut(scaled, left, top, across, down), rows, columns);
}

/** The level of a channel in the order of the input. */
function colour({ data }, pixel, channel, how) {
  const [red, green, blue] = data.subarray(pixel * 3, pixel * 3 + 3);
  if (how.colour === "rgb") return [red, green, blue][channel];
  if (how.colour === "bgr") return [blue, green, red][channel];
  if (data instanceof Uint8Array) return (red * 9798 + green * 19235 + blue * 3735 + 16384) >> 15; // as OpenCV
  return Math.fround(0.299 * red + 0.587 * green + 0.114 * blue);
}

/** A level as a number of the input, each step in float32. */
function asNumber(level, channel, how) {
  const of = (numbers) => Math.fround(numbers.length === 1 ? numbers[0] : numbers[channel]);
  const kept = how.clip ? within(level, Math.fround(how.clip[0]), Math.fround(how.clip[1])) : level;
  const value = Math.fround(Math.fround(kept - of(how.mean)) / of(how.scale));
  const limits = LIMITS[how.element_type];
  return limits ? within(rint(value), ...limits) : value;
}
