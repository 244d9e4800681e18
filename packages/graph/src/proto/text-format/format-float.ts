/**
 * A number as text that reads back as itself: the shortest for `double`, and for `float` the shortest that is nearest to
 * this float and no other.
 */
export function formatFloat(value: number, type: "float" | "double"): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0";
  if (type === "double") return String(value);
  // Nine digits are enough for any float.
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}
