import { open, rm, stat } from "node:fs/promises";

import { type ParquetType, writeParquet } from "@ckpt/dataset";
import { readEvaluation, readRows, type StoredRows } from "@ckpt/evaluator";
import { CkptError, type EvaluationManifest } from "@ckpt/manifest";

/** A table of predictions in place. */
export interface ExportedPredictions {
  readonly path: string;
  readonly rowCount: number;
  readonly columns: readonly string[];
}

/**
 * Writes stored predictions as a table: the row's number in the split from 0, its labels, and the values of the output;
 * classes by their names where they have some. The path ends in `.csv` or `.parquet`.
 *
 * @param evaluation - The evaluation's folder.
 * @throws {CkptError} INVALID_OPTION for another ending; TARGET_EXISTS, FILE_SYSTEM; a damaged evaluation's errors.
 */
export async function exportPredictions(evaluation: string, path: string): Promise<ExportedPredictions> {
  const ending = /\.(csv|parquet)$/.exec(path)?.[1];
  if (ending === undefined) {
    throw new CkptError("INVALID_OPTION", { option: "--out", expected: "a .csv or .parquet file", found: path });
  }
  const manifest = await readEvaluation(evaluation);
  const columns = describeColumns(manifest);
  const names = columns.map(([name]) => name);
  if (ending === "csv") await writeCsv(path, names, evaluation, manifest);
  else {
    if ((await stat(path).catch(() => undefined)) !== undefined) throw new CkptError("TARGET_EXISTS", { path });
    const csv = `${path}.csv`;
    await writeCsv(csv, names, evaluation, manifest);
    try {
      await writeParquet(csv, path, Object.fromEntries(columns));
    } finally {
      await rm(csv, { force: true });
    }
  }
  return { path, rowCount: manifest.split.rowCount, columns: names };
}

type Column = readonly [name: string, type: ParquetType];

/** In the order of the values of a row. Those of an output go by its name, `output.` before it where a column has that. */
function describeColumns({ labels, output, classes }: EvaluationManifest): readonly Column[] {
  const labelType = labels.dtype !== "int32" ? "FLOAT" : isNamed(labels, classes) ? "VARCHAR" : "INTEGER";
  const valueCount = countValues(output);
  const valueName = (index: number): string =>
    `${output.name}.${classes !== undefined && classes.length === valueCount ? classes[index] : index}`;
  const entries: Column[] = [["row", "INTEGER"]];
  const labelCount = countValues(labels);
  for (let index = 0; index < labelCount; index++) {
    entries.push([labelCount === 1 ? "label" : `label.${index}`, labelType]);
  }
  for (let index = 0; index < valueCount; index++) {
    const name = valueCount === 1 ? output.name : valueName(index);
    entries.push([entries.some(([other]) => other === name) ? `output.${name}` : name, "FLOAT"]);
  }
  return entries;
}

/** Block by block, so that memory does not grow with the rows. */
async function writeCsv(
  path: string,
  names: readonly string[],
  evaluation: string,
  manifest: EvaluationManifest,
): Promise<void> {
  try {
    const file = await open(path, "wx");
    try {
      await file.write(`${names.map(quote).join(",")}\n`);
      let firstRow = 0;
      for await (const rows of readRows(evaluation, manifest)) {
        await file.write(formatRows(rows, firstRow, manifest));
        firstRow += rows.rowCount;
      }
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new CkptError("TARGET_EXISTS", { path }, { cause });
    if (code === undefined || cause instanceof CkptError) throw cause;
    throw new CkptError("FILE_SYSTEM", { path, operation: "write", reason: message }, { cause });
  }
}

function formatRows(
  { rowCount, predictions, labels }: StoredRows,
  firstRow: number,
  manifest: EvaluationManifest,
): string {
  const { classes } = manifest;
  const [valueCount, labelCount] = [predictions.length / rowCount, labels.length / rowCount];
  const named = isNamed(manifest.labels, classes);
  const lines: string[] = [];
  for (let row = 0; row < rowCount; row++) {
    const own = Array.from(labels.subarray(row * labelCount, (row + 1) * labelCount), (label) =>
      named ? quote(classes?.[label] ?? String(label)) : String(label),
    );
    const values = predictions.subarray(row * valueCount, (row + 1) * valueCount);
    lines.push(`${firstRow + row},${own.join(",")},${values.join(",")}\n`);
  }
  return lines.join("");
}

/** One class a row, with a name. */
function isNamed(labels: EvaluationManifest["labels"], classes: readonly string[] | undefined): boolean {
  return classes !== undefined && labels.dtype === "int32" && countValues(labels) === 1;
}

function countValues({ shape }: EvaluationManifest["output"]): number {
  return shape.slice(1).reduce((product: number, size) => product * (size ?? 1), 1);
}

function quote(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
