// Rounding as the description means it: of two whole numbers that are equally near, the even one.

/** The nearest whole number. */
export function rint(value) {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** The nearest whole number to a fraction of whole numbers; at least 1. */
export function rounded(numerator, denominator) {
  const whole = Math.floor(numerator / denominator);
  const twice = 2 * (numerator - whole * denominator);
  const up = twice > denominator || (twice === denominator && whole % 2 === 1);
  return Math.max(1, whole + (up ? 1 : 0));
}

/** A value within limits. */
export const within = (value, lowest, highest) => Math.min(Math.max(value, lowest), highest);
