// Interpolation on a line: which cells count for a pixel, and how much.

import { within } from "./numbers.js";

/**
 * Of each pixel the cells and their weights, [[cell, weight], ...]; the cells fill the length from start on.
 * What lies behind the edge is as the edge itself.
 */
export function taps(pixels, start, length, cells, cubic) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const place = ((pixel + 0.5 - start) * cells) / length - 0.5; // in cells, 0 at the first one's centre
    const first = Math.floor(place);
    return [-1, 0, 1, 2].map((offset) => [
      within(first + offset, 0, cells - 1),
      kernel(Math.abs(place - first - offset), cubic),
    ]);
  });
}

/** Weight by distance: as OpenCV's INTER_LINEAR, or as its INTER_CUBIC, whose parameter is -3/4. */
function kernel(distance, cubic) {
  if (!cubic) return Math.max(0, 1 - distance);
  const a = -0.75;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0;
}
