/** One broken rule of a manifest or a configuration: the dotted path of the field and what is wrong there. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** The closed list of error codes with the details each one carries. Paths are as given by the caller. */
export interface ErrorDetails {
  /** An option or argument is out of its range or contradicts another. */
  INVALID_OPTION: { option: string; expected: string; found: string };
  /**
   * Of a graph of TensorFlow nobody said which nodes are the outputs; `candidates` has the likeliest first. `graph` is its
   * file, where that does not follow from the path.
   */
  OUTPUTS_NOT_NAMED: { path: string; graph?: string; candidates: readonly { name: string; op: string }[] };
  /** A configuration file breaks its schema; every issue is listed. */
  CONFIG_INVALID: { path: string; issues: readonly Issue[] };
  CONFIG_NOT_FOUND: { path: string };

  RUN_NOT_FOUND: { path: string };
  /** The folder already holds a run that this command would have to overwrite. */
  RUN_EXISTS: { path: string; reason: string; remedy: string };
  RUN_LOCKED: { path: string; pid: number; host: string };
  CHECKPOINT_NOT_FOUND: { path: string; skipped: readonly string[] };
  ARTIFACT_NOT_FOUND: { path: string };
  /** `race` is there when a race dropped the artifact before it was scored on all rows. */
  EVALUATION_NOT_FOUND: {
    path: string;
    expected: string;
    race?: { metric: string; rowsSeen: number; rowCount: number };
  };
  /** The target of a commit is there already. */
  TARGET_EXISTS: { path: string };

  /** A manifest is not JSON, breaks its schema, or is not in its canonical form; every issue is listed. */
  MANIFEST_INVALID: { path: string; issues: readonly Issue[] };
  /** A folder has no manifest: it was never committed, so for every reader it does not exist. */
  MANIFEST_MISSING: { path: string };
  SCHEMA_TOO_NEW: { path: string; found: number; supported: number };
  FILE_MISSING: { path: string };
  SIZE_MISMATCH: { path: string; expectedBytes: number; foundBytes: number };
  DIGEST_MISMATCH: { path: string; expected: string; found: string };
  /** A manifest names a file outside its own folder: absolute, through `..`, or through a link that leads out. */
  UNSAFE_PATH: { path: string; named: string };
  /** A link of a run points elsewhere than the manifest beside it says. */
  LINK_MISMATCH: { path: string; expected: string; found: string };
  /** The file system refused; the original error is the `cause`. */
  FILE_SYSTEM: { path: string; operation: string; reason: string };

  DATA_UNREADABLE: { file: string; reason: string };
  DATA_COLUMN_NOT_FOUND: { file: string; column: string; available: readonly string[] };
  /** `row` is 1-based and counts data rows, not the header. */
  DATA_CELL_INVALID: { file: string; row: number; column: string; expected: string; found: string };
  /** `line` is the 1-based line of the file. */
  DATA_ROW_RAGGED: { file: string; line: number; expectedColumns: number; foundColumns: number };
  DATA_SPLIT_EMPTY: { files: readonly string[]; split: string; rowCount: number; fractions: string };
  /** The same rows play two roles. */
  DATA_ROWS_SHARED: { splits: readonly [string, string]; sharedRows: number; rowCount: number };
  SPLIT_NOT_FOUND: { split: string; available: readonly string[] };

  BACKEND_UNAVAILABLE: { backend: string; reason: string; remedy: string };
  /** An inference engine's package is not installed or does not load. */
  ENGINE_UNAVAILABLE: { engine: string; package: string; reason: string };
  ENGINE_FAILED: { engine: string; artifact: string; reason: string };

  METRIC_NOT_FOUND: { metric: string; available: readonly string[] };
  METRIC_NOT_FINITE: { metric: string; where: string; found: number };
  WEIGHTS_MISMATCH: { path: string; weight: string; expected: string; found: string };
  MODEL_UNREADABLE: { path: string; reason: string; remedy: string };
  /** A file of a TensorFlow checkpoint is damaged, cut off, missing or something else. */
  BUNDLE_INVALID: { path: string; reason: string };

  /** Operations that a format cannot express, all at once, each with the layers it came from. */
  UNSUPPORTED_OP: { format: string; ops: readonly { op: string; reason: string; layers: readonly string[] }[] };
  /** A file would be larger than its format can be, before anything of it is made. */
  FORMAT_TOO_LARGE: { format: string; sizeBytes: number; limitBytes: number };
  UNSUPPORTED_DTYPE: { where: string; dtype: string; supported: readonly string[] };
  /** A shape is open where the computation needs a size; `null` is an open dimension. */
  UNSUPPORTED_SHAPE: { where: string; shape: readonly (number | null)[]; reason: string };
  /** A computation depends on values, randomness or a size, so one recording does not stand for it. */
  IMPURE_COMPUTATION: { layer: string; reason: string };
  GRAPH_INVALID: { issues: readonly Issue[] };
  SIGNATURE_MISMATCH: { where: string; expected: string; found: string };
  PARITY_FAILED: {
    artifact: string;
    format: string;
    engine: string;
    output: string;
    maxAbsoluteError: number;
    tolerance: number;
    /** Path of the first layer whose output the format does not compute; absent where none is found. */
    layer?: string;
    /** Largest absolute error there; absent where the format holds nothing to compare. */
    layerError?: number;
  };
}

/** What went wrong, by what the caller can do about it. */
export type ErrorCode = keyof ErrorDetails;

interface ErrorText {
  readonly message: string;
  readonly remedy: string;
}

const list = (items: readonly string[]): string => (items.length === 0 ? "none" : items.join(", "));
const issueLines = (issues: readonly Issue[]): string =>
  issues.map((issue) => `\n  ${issue.path === "" ? "(top level)" : issue.path}: ${issue.message}`).join("");
/** As a shell takes it. */
const quote = (text: string): string => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const damaged = "Restore the file from a copy, or delete the folder it is in and make it again.";

/** Message and remedy of every code, made from the details alone. */
export const errorTexts: { readonly [C in ErrorCode]: (details: ErrorDetails[C]) => ErrorText } = {
  INVALID_OPTION: (d) => ({
    message: `${d.option}: expected ${d.expected}, found ${d.found}`,
    remedy: `Change ${d.option}.`,
  }),
  OUTPUTS_NOT_NAMED: (d) => ({
    message:
      `${d.path}: its graph does not say which nodes are its outputs; ` +
      (d.candidates.length === 0
        ? "none looks like one"
        : `the likeliest first:${issueLines(d.candidates.map(({ name, op }) => ({ path: name, message: op })))}`),
    remedy: `Name them: ckpt freeze ${quote(d.path)}${d.graph === undefined ? "" : ` --graph ${quote(d.graph)}`} --outputs ${quote(d.candidates[0]?.name ?? "NODE")}`,
  }),
  CONFIG_INVALID: (d) => ({
    message: `${d.path}: ${d.issues.length} problem(s) in the configuration:${issueLines(d.issues)}`,
    remedy: "Correct every field listed; each is named by its path.",
  }),
  CONFIG_NOT_FOUND: (d) => ({
    message: `${d.path}: no configuration file there`,
    remedy:
      "Name a folder that holds ckpt.config.ts (or .js, .mjs), or the file itself, by --config where there is one.",
  }),

  RUN_NOT_FOUND: (d) => ({
    message: `${d.path}: not a run, there is no run.json in it`,
    remedy: "Name a run folder, or make one with `ckpt train`.",
  }),
  RUN_EXISTS: (d) => ({ message: `${d.path}: ${d.reason}`, remedy: d.remedy }),
  RUN_LOCKED: (d) => ({
    message: `${d.path}: in use by process ${d.pid} on ${d.host}`,
    remedy:
      "Wait for that process or stop it. The lock of a process that died on this machine is taken over without asking; " +
      "if it died on another one, delete .lock in that folder.",
  }),
  CHECKPOINT_NOT_FOUND: (d) => ({
    message: `${d.path}: no valid checkpoint${d.skipped.length === 0 ? "" : `; skipped: ${d.skipped.join("; ")}`}`,
    remedy: "Train first, or name a checkpoint folder.",
  }),
  ARTIFACT_NOT_FOUND: (d) => ({
    message: `${d.path}: no artifact there`,
    remedy: "Freeze first with `ckpt freeze`, or name an artifact folder.",
  }),
  EVALUATION_NOT_FOUND: (d) => ({
    message:
      `${d.path}: no stored predictions, expected ${d.expected}` +
      (d.race === undefined
        ? ""
        : `; a race by ${d.race.metric} dropped it at row ${d.race.rowsSeen} of ${d.race.rowCount}`),
    remedy:
      d.race === undefined
        ? "Run `ckpt evaluate` first."
        : `Score it on all rows: \`ckpt evaluate ${quote(d.path)}\`, or all artifacts with \`--no-race\`.`,
  }),
  TARGET_EXISTS: (d) => ({
    message: `${d.path}: already there`,
    remedy: "Name another target, or delete this one first.",
  }),

  MANIFEST_INVALID: (d) => ({ message: `${d.path}: not a valid manifest:${issueLines(d.issues)}`, remedy: damaged }),
  MANIFEST_MISSING: (d) => ({
    message: `${d.path}: no manifest, so nothing was committed there`,
    remedy: "Make it again; a folder without its manifest is what an interrupted write leaves.",
  }),
  SCHEMA_TOO_NEW: (d) => ({
    message: `${d.path}: schema version ${d.found}, this ckpt reads up to ${d.supported}`,
    remedy: "Update ckpt to the version that wrote it.",
  }),
  FILE_MISSING: (d) => ({ message: `${d.path}: listed in the manifest, but no such file`, remedy: damaged }),
  SIZE_MISMATCH: (d) => ({
    message: `${d.path}: expected ${d.expectedBytes} bytes, found ${d.foundBytes}`,
    remedy: damaged,
  }),
  DIGEST_MISMATCH: (d) => ({ message: `${d.path}: expected SHA-256 ${d.expected}, found ${d.found}`, remedy: damaged }),
  UNSAFE_PATH: (d) => ({
    message: `${d.path}: names ${JSON.stringify(d.named)}, which is outside its folder`,
    remedy: "Do not use this folder: neither ckpt nor TensorFlow writes such names into it.",
  }),
  LINK_MISMATCH: (d) => ({
    message: `${d.path}: expected a link to ${d.expected}, found ${d.found}`,
    remedy: "Rank again with `ckpt rank`.",
  }),
  FILE_SYSTEM: (d) => ({
    message: `${d.path}: ${d.operation} failed: ${d.reason}`,
    remedy: "Free space or correct the permissions, then try again; nothing that was committed is lost.",
  }),

  DATA_UNREADABLE: (d) => ({
    message: `${d.file}: ${d.reason}`,
    remedy: "Name a readable .csv, .csv.gz, .parquet or .ndjson file.",
  }),
  DATA_COLUMN_NOT_FOUND: (d) => ({
    message: `${d.file}: no column ${d.column}; there are: ${list(d.available)}`,
    remedy: "Correct the column selector.",
  }),
  DATA_CELL_INVALID: (d) => ({
    message: `${d.file}: row ${d.row}, column ${d.column}: expected ${d.expected}, found ${d.found}`,
    remedy: "Correct or remove the row.",
  }),
  DATA_ROW_RAGGED: (d) => ({
    message: `${d.file}: line ${d.line}: expected ${d.expectedColumns} columns, found ${d.foundColumns}`,
    remedy: "Correct or remove the line.",
  }),
  DATA_SPLIT_EMPTY: (d) => ({
    message: `${list(d.files)}: split ${d.split} is empty: ${d.rowCount} rows divided as ${d.fractions}`,
    remedy: "Give the split a larger fraction, or the dataset more rows.",
  }),
  DATA_ROWS_SHARED: (d) => ({
    message: `${d.sharedRows} of ${d.rowCount} rows of split ${d.splits[0]} are in ${d.splits[1]} too`,
    remedy: "Give each role rows of its own: what was trained on or chosen by says nothing of new rows.",
  }),
  SPLIT_NOT_FOUND: (d) => ({
    message: `no split ${d.split}; there are: ${list(d.available)}`,
    remedy: "Name one of these splits.",
  }),

  BACKEND_UNAVAILABLE: (d) => ({ message: `backend ${d.backend}: ${d.reason}`, remedy: d.remedy }),
  ENGINE_UNAVAILABLE: (d) => ({
    message: `engine ${d.engine}: package ${d.package} does not load: ${d.reason}`,
    remedy: `Add it to your project: npm install ${d.package}. If it is there, its native part was not installed.`,
  }),
  ENGINE_FAILED: (d) => ({
    message: `${d.artifact}: engine ${d.engine} failed: ${d.reason}`,
    remedy: "Check the artifact with `ckpt verify`, or choose another engine.",
  }),

  METRIC_NOT_FOUND: (d) => ({
    message: `no metric ${d.metric}; there are: ${list(d.available)}`,
    remedy: "Name one of these metrics.",
  }),
  METRIC_NOT_FINITE: (d) => ({
    message: `${d.where}: metric ${d.metric} is ${d.found}`,
    remedy: "Look at the data and the learning rate; a value that is not finite never wins.",
  }),
  WEIGHTS_MISMATCH: (d) => ({
    message: `${d.path}: weight ${d.weight}: expected ${d.expected}, found ${d.found}`,
    remedy: "Use the model this checkpoint was made from.",
  }),
  MODEL_UNREADABLE: (d) => ({ message: `${d.path}: ${d.reason}`, remedy: d.remedy }),
  BUNDLE_INVALID: (d) => ({
    message: `${d.path}: not a valid TensorFlow checkpoint: ${d.reason}`,
    remedy: "Copy the checkpoint again with all its files, or use another one of that folder.",
  }),

  UNSUPPORTED_OP: (d) => ({
    message: `${d.ops.length} operation(s) cannot be expressed as ${d.format}:${issueLines(
      d.ops.map((op) => ({ path: op.op, message: `${op.reason} (from ${list(op.layers)})` })),
    )}`,
    remedy: "Replace the layers named or, where it is one format of several, leave that out.",
  }),
  FORMAT_TOO_LARGE: (d) => ({
    message: `${d.format}: ${d.sizeBytes} bytes, a file of this format has at most ${d.limitBytes}`,
    remedy:
      "Leave this format out: a GraphModel and ONNX keep their weights in files of their own and have no such limit.",
  }),
  UNSUPPORTED_DTYPE: (d) => ({
    message: `${d.where}: dtype ${d.dtype}, supported: ${list(d.supported)}`,
    remedy: "Cast to a supported dtype.",
  }),
  UNSUPPORTED_SHAPE: (d) => ({
    message: `${d.where}: shape [${d.shape.map(String).join(", ")}]: ${d.reason}`,
    remedy: "Build the model again with a fixed size there, and load the weights into it.",
  }),
  IMPURE_COMPUTATION: (d) => ({
    message: `${d.layer}: ${d.reason}`,
    remedy:
      "Make the computation depend on its inputs and weights only, with the same operations for every size of them.",
  }),
  GRAPH_INVALID: (d) => ({
    message: `the graph breaks its own rules:${issueLines(d.issues)}`,
    remedy: "This is a defect of ckpt; report it with the model.",
  }),
  SIGNATURE_MISMATCH: (d) => ({
    message: `${d.where}: expected ${d.expected}, found ${d.found}`,
    remedy: "Give inputs that match the signature, by name, dtype and shape.",
  }),
  PARITY_FAILED: (d) => ({
    message:
      `${d.artifact}: ${d.format} output ${d.output} differs from the checkpoint by ${d.maxAbsoluteError} ` +
      `in ${d.engine}, tolerance ${d.tolerance}${layerText(d)}`,
    remedy: "Do not use this artifact; report the model if it has no custom layer.",
  }),
};

function layerText({ layer, layerError }: ErrorDetails["PARITY_FAILED"]): string {
  if (layer === undefined) return "";
  return `; the first layer that differs is ${layer}${layerError === undefined ? "" : `, by ${layerError}`}`;
}
