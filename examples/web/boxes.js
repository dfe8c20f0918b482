// Which part of a photograph the model sees: boxes { left, top, width, height }, in pixels.

import { rounded } from "./numbers.js";

/** Width and height of the largest box of the input's ratio. */
export function cropSize(height, width, rows, columns) {
  if (width * rows > height * columns) return [rounded(height * columns, rows), height];
  return [width, rounded(width * rows, columns)];
}

/** Rows and columns once the shorter side has been scaled; or both, where both are told. */
export function scaledSize(height, width, sides) {
  if (Array.isArray(sides)) return sides;
  const shorter = Math.min(height, width);
  return [Math.floor((sides * height) / shorter), Math.floor((sides * width) / shorter)];
}

/** Where the photograph lies within the input. */
export function letterbox(height, width, rows, columns, where) {
  const wide = width * rows > height * columns;
  const across = wide ? columns : rounded(width * rows, height);
  const down = wide ? rounded(height * columns, width) : rows;
  if (where === "right_and_below") return { left: 0, top: 0, width: across, height: down };
  const left = Math.floor((columns - across) / 2);
  return { left, top: Math.floor((rows - down) / 2), width: across, height: down };
}

/** The box of the photograph that the input shows; it may reach beyond the photograph. */
export function seen(how, height, width) {
  const whole = { left: 0, top: 0, width, height };
  const box = how.resize === "none" ? whole : shown(how, height, width, how.pad?.where);
  if (!how.embedded) return box;
  const [rows, columns] = how.resize === "none" ? [height, width] : how.size;
  const inner = shown(how.embedded, rows, columns, how.embedded.pad_where); // in pixels of the input
  return scaledBox(inner, box.width / columns, box.height / rows, box.left, box.top);
}

/** A box in other units. */
export function scaledBox(box, across, down, left = 0, top = 0) {
  return {
    left: left + box.left * across,
    top: top + box.top * down,
    width: box.width * across,
    height: box.height * down,
  };
}

function shown(how, height, width, where) {
  if (how.resize === "stretch") return { left: 0, top: 0, width, height };
  const [rows, columns] = how.size;
  if (how.resize === "letterbox") {
    const inner = letterbox(height, width, rows, columns, where);
    const box = { left: -inner.left, top: -inner.top, width: columns, height: rows };
    return scaledBox(box, width / inner.width, height / inner.height);
  }
  const [scaledRows, scaledColumns] = how.resize_to
    ? scaledSize(height, width, how.resize_to)
    : [height, width];
  const [across, down] = how.resize_to ? [columns, rows] : cropSize(height, width, rows, columns);
  const box = {
    left: Math.floor((scaledColumns - across) / 2),
    top: Math.floor((scaledRows - down) / 2),
    width: across,
    height: down,
  };
  return scaledBox(box, width / scaledColumns, height / scaledRows);
}
