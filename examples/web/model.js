// The converted model: its file, its description, and runs of it in ONNX Runtime Web.

import * as ort from "onnxruntime-web";

import { checkPreprocessing } from "./photograph.js";
import { Refusal } from "./refusal.js";

ort.env.wasm.numThreads = 1; // more of them need a page that its server isolates from all others

const METADATA_PROPS = 14; // of ModelProto; its entries have a key, 1, and a value, 2
const KEY = 1;
const VALUE = 2;

/** A model that is ready to run, its description, and what is to be said of a sidecar that was not taken. */
export async function openModel(file, sidecar) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const told = sidecar ? await ofSidecar(sidecar, file, bytes) : { note: "" };
  const description = told.description ?? ofMetadata(file, bytes);
  const [major, minor] = String(description.schema_version).split(".").map(Number);
  if (major !== 1 || !(minor >= 1)) {
    const version = description.schema_version;
    throw new Refusal(`${file.name} is described in version ${version}; this page reads 1.1 and later.`);
  }
  if (!description.saliency_map) {
    throw new Refusal(`${file.name} has no map: it is to be explained as a black box.`);
  }
  checkPreprocessing(description.preprocessing);
  if (description.onnx?.external?.length) {
    const names = description.onnx.external.map((each) => each.file).join(", ");
    throw new Refusal(`${file.name} has its weights in other files (${names}), which this page does not read.`);
  }
  try {
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    return { description, session, note: told.note };
  } catch (error) {
    throw new Refusal(`ONNX Runtime Web does not take ${file.name}: ${error.message}`);
  }
}

/** The outputs for one sample, in their order; a model of a fixed batch gets it as often as that. */
export async function run({ description, session }, sample) {
  const [batch, ...extents] = description.inputs[0].shape; // -1: any
  const same = extents.every((extent, axis) => extent === -1 || extent === sample.dims[axis]);
  if (!same) throw new Refusal("The description tells of another input than the model takes.");
  const count = Math.max(batch, 1);
  const data = new sample.data.constructor(sample.data.length * count);
  for (let each = 0; each < count; each++) data.set(sample.data, each * sample.data.length);
  const inputs = { [session.inputNames[0]]: new ort.Tensor(sample.type, data, [count, ...sample.dims]) };
  try {
    const results = await session.run(inputs);
    return { count, outputs: session.outputNames.map((name) => results[name]) };
  } catch (error) {
    throw new Refusal(`ONNX Runtime Web does not run it on this photograph: ${error.message}`);
  }
}

/** The description that a JSON file is, if it has the hash of the model; else a note that it was passed over. */
async function ofSidecar(sidecar, file, bytes) {
  const note = `${sidecar.name} does not describe ${file.name} and was passed over.`;
  let description;
  try {
    description = JSON.parse(await sidecar.text());
  } catch {
    return { note };
  }
  if (!description?.onnx?.sha256) return { note };
  if (!globalThis.crypto?.subtle) {
    return { note: `${sidecar.name} was passed over: browsers compare files on https:// and localhost only.` };
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return found === description.onnx.sha256 ? { description, note: "" } : { note };
}

/** The description that stands in the file itself, under `ovxai` of its metadata. */
function ofMetadata(file, bytes) {
  try {
    for (const [number, entry] of fields(bytes)) {
      if (number !== METADATA_PROPS) continue;
      const texts = new Map(fields(entry));
      if (textOf(texts.get(KEY)) === "ovxai") return JSON.parse(textOf(texts.get(VALUE)));
    }
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof SyntaxError)) throw error;
    throw new Refusal(`${file.name} is no ONNX file that can be read.`);
  }
  throw new Refusal(`${file.name} is no converted model: ovxai-convert --format onnx makes one of it.`);
}

const textOf = (bytes) => new TextDecoder().decode(bytes);

/** Number and bytes of the fields of a protobuf message that have a length: texts, messages. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      if (at >= bytes.length) throw new RangeError("the message ends too early");
      const byte = bytes[at++];
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = varint();
      if (at + length > bytes.length) throw new RangeError("the message ends too early");
      yield [Math.floor(tag / 8), bytes.subarray(at, at + length)];
      at += length;
    } else throw new RangeError("not a protobuf message");
  }
}
