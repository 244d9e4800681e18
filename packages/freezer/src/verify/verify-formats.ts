import type { Graph, GraphTemplate } from "@ckpt/graph";
import {
  type ArtifactFormat,
  CkptError,
  isCkptError,
  type ParityRecord,
  type Signature,
  type TensorData,
} from "@ckpt/manifest";

import { type FormatChoice, toleranceOf } from "../choose-formats.js";
import type { UnverifiedFormat } from "../freeze-options.js";
import type { ProbeInput } from "../read-probe.js";
import type { SavedModelContent } from "../saved-model-signatures.js";
import { compareOutputs, mergeErrors, noError, type OutputError } from "./compare-outputs.js";
import { findDivergingLayer } from "./find-diverging-layer.js";
import { onnxEngine } from "./onnx-runner.js";
import { openFormat } from "./open-format.js";
import { makeProbeInputs } from "./probe-inputs.js";
import type { FormatRunner, ReferenceRunner } from "./runner.js";
import { openSavedModelNatively, tfjsNodeEngine } from "./tfjs-node-runner.js";
import { tfjsEngine } from "./tfjs-runner.js";

/** Batch sizes that the capture does not use; 1 is the one that broadcasts. */
const probeBatchSizes: readonly number[] = [1, 5, 17];

/** A batch of more than 5 that costs more is left out: 2 GFLOP, a tenth of a second for each format. */
const maxBatchFlops = 2e9;

/** A `.pb` and a SavedModel mostly hold the very same graph, which then runs once. */
const graphDefFormats: ReadonlySet<ArtifactFormat> = new Set(["graph-def", "graph-def-text", "saved-model"]);

/** What a verification found. */
export interface Verification {
  readonly parity: readonly ParityRecord[];
  readonly unverified: readonly UnverifiedFormat[];
}

/** What was written, what it is compared with, and how close it has to be. */
export interface VerifyFormatsOptions {
  /** The folder that holds the formats as they were written. */
  readonly folder: string;
  readonly choice: FormatChoice;
  readonly graph: Graph;
  readonly signature: Signature;
  /** What one example costs; not set where that is not known. */
  readonly flopsPerExample?: number | undefined;
  /** What open dimensions other than the batch are to be, in a run or several. */
  readonly probeShapes: GraphTemplate["probeShapes"];
  /** Rows of real data from the checkpoint; left out of account where they do not fit the signature. */
  readonly probe: readonly ProbeInput[];
  /** The model that was frozen. */
  readonly reference: ReferenceRunner;
  readonly savedModel?: SavedModelContent | undefined;
  /** Which signature of the SavedModel this is about, if not the artifact's own. */
  readonly signatureKey?: string;
  /** Where the artifact will stand; named in errors. */
  readonly artifact: string;
}

/**
 * Runs every format, from the very bytes written, on inputs that are the same each time, and compares every output
 * with the model's own.
 *
 * @throws {CkptError} PARITY_FAILED at the first output beyond the tolerance, with the first layer that differs;
 *   ENGINE_FAILED when an engine does not accept or run what was written; SIGNATURE_MISMATCH when an output's shape is
 *   another.
 */
export async function verifyFormats(options: VerifyFormatsOptions): Promise<Verification> {
  const { probeShapes, reference } = options;
  const probes: Probe[] = [];
  const batchSizes = chooseBatchSizes(options);
  for (let index = 0; index < Math.max(batchSizes.length, probeShapes.length); index++) {
    const start = index % probeShapes.length;
    const shapes = [...probeShapes.slice(start), ...probeShapes.slice(0, start)];
    probes.push(await runReference(batchSizes[index % batchSizes.length] ?? 1, shapes, options));
  }
  const real = chooseProbe(options);
  if (real !== undefined) probes.push({ ...real, expected: await reference.run(real.inputs) });
  const parity: ParityRecord[] = [];
  const unverified: UnverifiedFormat[] = [];
  const known: KnownResults = new Map();
  for (const format of options.choice.formats) {
    const result = await verifyFormat(format, probes, known, options);
    if ("reason" in result) unverified.push(result);
    else parity.push(...result.parity);
  }
  return { parity, unverified };
}

/** The checkpoint's own rows, if they are what the signature takes: a part of a model has other inputs. */
function chooseProbe({ probe, signature }: VerifyFormatsOptions): Omit<Probe, "expected"> | undefined {
  const batchSize = probe[0]?.tensor.shape[0];
  const isFitting =
    probe.length === signature.inputs.length &&
    signature.inputs.every(({ name, dtype, shape }, index) => {
      const { spec, tensor } = probe[index] ?? {};
      const isSame = spec?.name === name && spec.dtype === dtype && tensor?.shape.length === shape.length;
      return isSame && shape.every((size, axis) => size === null || size === tensor.shape[axis]);
    });
  if (!isFitting || batchSize === undefined) return undefined;
  return { batchSize, isReal: true, inputs: probe.map(({ tensor }) => tensor) };
}

/** What has been computed for each of the probes, by the digest of what computed it. */
type KnownResults = Map<string, readonly (readonly TensorData[])[]>;

/** One batch with what the model itself makes of it. */
interface Probe {
  readonly batchSize: number;
  /** Rows of the checkpoint's probe, not pseudo-random ones. */
  readonly isReal: boolean;
  readonly inputs: readonly TensorData[];
  readonly expected: readonly TensorData[];
}

// At the first of the shapes that the model takes: one may have limits, a table of positions ends somewhere.
async function runReference(
  batchSize: number,
  probeShapes: GraphTemplate["probeShapes"],
  { graph, signature, reference }: VerifyFormatsOptions,
): Promise<Probe> {
  let refusal: unknown;
  for (const shapes of probeShapes) {
    const specs = signature.inputs.map(({ name, dtype, shape }, input) => ({
      name,
      dtype,
      shape: shapes[input] ?? shape,
    }));
    const inputs = makeProbeInputs(graph, specs, batchSize);
    try {
      return { batchSize, isReal: false, inputs, expected: await reference.run(inputs) };
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}

// A model whose batch is fixed runs at that size only.
function chooseBatchSizes({ signature, flopsPerExample = 0 }: VerifyFormatsOptions): readonly number[] {
  const fixed = signature.inputs.map(({ shape }) => shape[0]).find((size) => typeof size === "number");
  if (fixed !== undefined) return [fixed];
  return probeBatchSizes.filter((size) => size <= 5 || size * flopsPerExample <= maxBatchFlops);
}

async function verifyFormat(
  format: ArtifactFormat,
  probes: readonly Probe[],
  known: KnownResults,
  options: VerifyFormatsOptions,
): Promise<{ readonly parity: readonly ParityRecord[] } | UnverifiedFormat> {
  const fail = failEngine(format === "onnx" ? onnxEngine : tfjsEngine, format, options);
  const isShared = options.choice.formats.filter((each) => graphDefFormats.has(each)).length > 1;
  const runner = await openFormat(format, { ...options, isShared }).catch(fail);
  if ("reason" in runner) return runner;
  const parity = await verifyRunner(format, runner, probes, known, options);
  const native = await openSavedModelNatively(format, options).catch(failEngine(tfjsNodeEngine, format, options));
  if (native === undefined) return { parity };
  return { parity: [...parity, ...(await verifyRunner(format, native, probes, known, options))] };
}

async function verifyRunner(
  format: ArtifactFormat,
  runner: FormatRunner,
  probes: readonly Probe[],
  known: KnownResults,
  options: VerifyFormatsOptions,
): Promise<readonly ParityRecord[]> {
  const { signature, artifact } = options;
  const { engine } = runner;
  try {
    const errors = signature.outputs.map(() => noError);
    const results =
      known.get(runner.digest ?? "") ?? (await runAll(runner, probes, failEngine(engine, format, options)));
    if (runner.digest !== undefined) known.set(runner.digest, results);
    for (const [at, { expected }] of probes.entries()) {
      const found = results[at] ?? [];
      for (const [index, { name }] of signature.outputs.entries()) {
        const error = compareTensors(`${artifact}: ${format} output ${name}`, expected[index], found[index]);
        errors[index] = mergeErrors(errors[index] ?? noError, error);
      }
    }
    const batchSizes = [...new Set(probes.flatMap(({ isReal, batchSize }) => (isReal ? [] : [batchSize])))];
    const probeRows = probes.find(({ isReal }) => isReal)?.batchSize;
    const compared = probeRows === undefined ? { batchSizes } : { batchSizes, probeRows };
    const parity: ParityRecord[] = [];
    for (const [index, { name: output }] of signature.outputs.entries()) {
      const { maxAbsoluteError, maxRelativeError, magnitude } = errors[index] ?? noError;
      // float32 keeps about seven digits: an output in the thousands cannot be right to 1e-5.
      const tolerance = toleranceOf(format, options.choice) * Math.max(1, magnitude);
      if (maxAbsoluteError > tolerance) {
        // That it is refused matters more than where it goes wrong, should the inside not run.
        const place = await locate(format, runner, probes, options).catch(() => ({}));
        throw new CkptError("PARITY_FAILED", {
          artifact,
          format,
          engine,
          output,
          maxAbsoluteError,
          tolerance,
          ...place,
        });
      }
      const named = options.signatureKey === undefined ? {} : { signature: options.signatureKey };
      parity.push({ format, engine, output, ...named, ...compared, maxAbsoluteError, maxRelativeError });
    }
    return parity;
  } finally {
    await runner.dispose();
  }
}

async function runAll(
  runner: FormatRunner,
  probes: readonly Probe[],
  fail: (cause: unknown) => never,
): Promise<readonly (readonly TensorData[])[]> {
  const results: (readonly TensorData[])[] = [];
  for (const { inputs } of probes) results.push(await runner.run(inputs).catch(fail));
  return results;
}

/** The first layer at which a format leaves the model, on the first of the probes that shows one. */
async function locate(
  format: ArtifactFormat,
  runner: FormatRunner,
  probes: readonly Probe[],
  { reference, choice }: VerifyFormatsOptions,
): Promise<{ layer?: string; layerError?: number }> {
  if (runner.runValues === undefined || reference.runLayers === undefined) return {};
  for (const { inputs } of probes) {
    const layers = await reference.runLayers(inputs);
    const values = await runner.runValues(inputs);
    const found = findDivergingLayer({ graph: runner.graph, layers, values, tolerance: toleranceOf(format, choice) });
    if (found !== undefined) return found;
  }
  return {};
}

function failEngine(engine: string, format: ArtifactFormat, { artifact }: VerifyFormatsOptions) {
  return (cause: unknown): never => {
    throw toEngineError(cause, engine, `${artifact} (${format})`);
  };
}

function toEngineError(cause: unknown, engine: string, artifact: string): CkptError {
  if (isCkptError(cause)) return cause;
  return new CkptError("ENGINE_FAILED", { engine, artifact, reason: (cause as Error).message }, { cause });
}

function compareTensors(where: string, expected: TensorData | undefined, found: TensorData | undefined): OutputError {
  if (expected === undefined || found === undefined || !isSameShape(expected.shape, found.shape)) {
    throw new CkptError("SIGNATURE_MISMATCH", { where, expected: describe(expected), found: describe(found) });
  }
  return compareOutputs(expected.data, found.data);
}

function isSameShape(first: readonly number[], second: readonly number[]): boolean {
  return first.length === second.length && first.every((size, axis) => size === second[axis]);
}

function describe(tensor: TensorData | undefined): string {
  return tensor === undefined ? "nothing" : `[${tensor.shape.join(", ")}]`;
}
