/** A column of a table: its heading and the side its cells are flush with. */
export interface Column {
  readonly heading: string;
  readonly align: "left" | "right";
}

/** A column of text. */
export function leftColumn(heading: string): Column {
  return { heading, align: "left" };
}

/** A column of numbers. */
export function rightColumn(heading: string): Column {
  return { heading, align: "right" };
}

/** Lays out rows under their headings, two spaces between columns, no trailing space, one line feed a line. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) =>
    Math.max(column.heading.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const formatLine = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? "";
        const width = widths[index] ?? 0;
        return column.align === "left" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  return [columns.map((column) => column.heading), ...rows].map((cells) => `${formatLine(cells)}\n`).join("");
}

/** A metric value as people read it: four decimals, or exponent form where these would hide it. */
export function formatMetric(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(1) : value.toFixed(4);
}

/** A size in bytes with a decimal unit. */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(sizeBytes) / 3), units.length);
  return `${(sizeBytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** A whole number with commas between groups of three digits. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}
