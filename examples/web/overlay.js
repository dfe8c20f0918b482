// From the map to the overlay: `saliency_map.upsampling`.

import { scaledBox, seen } from "./boxes.js";
import { rint, within } from "./numbers.js";
import { taps } from "./taps.js";

const SMALLEST = 480; // pixels of the longer side of what is drawn, however small the photograph
const LARGEST = 1280;

/** The size of the canvas and the map's level at each of its pixels, NaN where the model sees nothing. */
export function layOut(photo, map, description) {
  const longer = Math.max(photo.width, photo.height);
  const factor = within(longer, SMALLEST, LARGEST) / longer;
  const [width, height] = [photo.width, photo.height].map((each) => Math.max(1, Math.round(each * factor)));
  const whole = seen(description.preprocessing, photo.height, photo.width);
  const box = scaledBox(whole, width / photo.width, height / photo.height);
  return { width, height, levels: enlarged(map, box, width, height, description.saliency_map) };
}

/** Grey levels at each pixel, NaN outside of the box. */
function enlarged(map, box, width, height, { scaling, upsampling }) {
  const cubic = upsampling.interpolation === "cubic";
  let values = Array.from(map.data, Number);
  let [lowest, highest] = [Math.min(...values), Math.max(...values)];
  if (scaling === "none" && highest > lowest) {
    values = values.map((each) => ((each - lowest) * 255) / (highest - lowest)); // raw scores to grey levels
    [lowest, highest] = [0, 255];
  }
  const across = taps(width, box.left, box.width, map.columns, cubic);
  const down = taps(height, box.top, box.height, map.rows, cubic);
  const lines = across.map((cells) =>
    Array.from({ length: map.rows }, (_, row) =>
      cells.reduce((sum, [cell, weight]) => sum + values[row * map.columns + cell] * weight, 0),
    ),
  );
  const levels = new Float32Array(width * height).fill(NaN);
  const inside = (at, start, length) => at + 0.5 >= start && at + 0.5 <= start + length;
  for (let row = 0; row < height; row++) {
    if (!inside(row, box.top, box.height)) continue;
    for (let column = 0; column < width; column++) {
      if (!inside(column, box.left, box.width)) continue;
      let sum = 0;
      for (const [cell, weight] of down[row]) sum += lines[column][cell] * weight;
      levels[row * width + column] = rint(within(within(sum, lowest, highest), 0, 255));
    }
  }
  return levels;
}

/** Draw the photograph with so much of the map's colours (0 to 1); what the model did not see is grey. */
export function draw(canvas, bitmap, { width, height, levels }, strength) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const picture = context.getImageData(0, 0, width, height);
  const { data } = picture;
  for (let pixel = 0; pixel < levels.length; pixel++) {
    const at = 4 * pixel;
    if (Number.isNaN(levels[pixel])) {
      const grey = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      data.fill(grey, at, at + 3);
    } else {
      const colour = jet(levels[pixel]);
      for (let channel = 0; channel < 3; channel++) {
        data[at + channel] = data[at + channel] * (1 - strength) + colour[channel] * strength;
      }
    }
  }
  context.putImageData(picture, 0, 0);
}

/** Red, green and blue of a level, from blue over green to red: OpenCV's COLORMAP_JET, nearly. */
export function jet(level) {
  return [3, 2, 1].map((peak) => 255 * within(1.5 - Math.abs((4 * level) / 255 - peak), 0, 1));
}
