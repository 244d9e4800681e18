import { CkptError } from "@ckpt/manifest";

/**
 * The classes of a label: how many there are, when the labels are the class indices 0 to n - 1; or their names, when
 * the labels are names and a label's class is its place in the list.
 */
export type Classes = number | readonly string[];

/** A label that no class can be found for: where it is and what was expected there. */
export interface LabelProblem {
  readonly source: number;
  readonly row: number;
  readonly expected: string;
}

/** The classes once all labels are seen, and for each code that was given out the class index it stands for. */
export interface ResolvedClasses {
  readonly classes: readonly string[];
  readonly classOfCode: Int32Array;
}

/** Turns label texts into small integer codes while rows are read, and the codes into classes after the last row. */
export interface LabelEncoder {
  /** The code of a label. `source` and `row` are remembered for messages. */
  encode(text: string, source: number, row: number): number | LabelProblem;
  resolve(): ResolvedClasses | LabelProblem;
}

/** Above this a column of integers without `classes` is taken for something else than class indices. */
const maxInferredClasses = 10_000;

/**
 * Makes the encoder for the given classes. Without `classes` they are inferred: labels that are all numbers must be
 * class indices, and the classes are 0 to the highest one; otherwise the classes are the distinct labels in the order
 * of their UTF-16 code units.
 *
 * @throws {CkptError} INVALID_OPTION when `classes` is not a count above 0 or a list of distinct names.
 */
export function createLabelEncoder(classes?: Classes): LabelEncoder {
  if (classes === undefined) return createInferringEncoder();
  if (typeof classes === "number") {
    if (!Number.isInteger(classes) || classes < 1) throw invalidClasses("a whole number above 0", String(classes));
    const names = Array.from({ length: classes }, (_, index) => String(index));
    return createFixedEncoder(names, parseClassIndex, `a class index from 0 to ${classes - 1}`);
  }
  const indices = new Map(classes.map((name, index) => [name, index]));
  if (classes.length === 0 || indices.size !== classes.length) {
    throw invalidClasses("at least one name, each once", JSON.stringify(classes));
  }
  const shown = classes.length > 10 ? `${classes.slice(0, 10).join(", ")}, ...` : classes.join(", ");
  return createFixedEncoder(classes, (text) => indices.get(text), `one of the classes ${shown}`);
}

function createFixedEncoder(
  classes: readonly string[],
  indexOf: (text: string) => number | undefined,
  expected: string,
): LabelEncoder {
  return {
    encode(text, source, row) {
      const index = indexOf(text);
      return index === undefined || index >= classes.length ? { source, row, expected } : index;
    },
    resolve: () => ({ classes, classOfCode: Int32Array.from(classes.keys()) }),
  };
}

function createInferringEncoder(): LabelEncoder {
  const labels = new Map<string, { readonly code: number; readonly source: number; readonly row: number }>();
  return {
    encode(text, source, row) {
      const known = labels.get(text);
      if (known !== undefined) return known.code;
      labels.set(text, { code: labels.size, source, row });
      return labels.size - 1;
    },
    resolve() {
      const texts = [...labels.keys()];
      if (!texts.every((text) => text.trim() !== "" && Number.isFinite(Number(text)))) {
        const classes = texts.toSorted((a, b) => (a < b ? -1 : 1));
        const indices = new Map(classes.map((name, index) => [name, index]));
        return { classes, classOfCode: Int32Array.from(texts, (text) => indices.get(text) ?? -1) };
      }
      let classCount = 0;
      const classOfCode = new Int32Array(texts.length);
      for (const [text, { code, source, row }] of labels) {
        const index = parseClassIndex(text);
        if (index === undefined || index >= maxInferredClasses) {
          return { source, row, expected: `a class index from 0 to ${maxInferredClasses - 1}` };
        }
        classOfCode[code] = index;
        classCount = Math.max(classCount, index + 1);
      }
      return { classes: Array.from({ length: classCount }, (_, index) => String(index)), classOfCode };
    },
  };
}

/** A whole number of at least 0, also where a writer made a float of it (`3.0`). */
function parseClassIndex(text: string): number | undefined {
  return /^\s*\d+(?:\.0*)?\s*$/u.test(text) ? Number(text) : undefined;
}

const invalidClasses = (expected: string, found: string) =>
  new CkptError("INVALID_OPTION", { option: "label.classes", expected, found });
