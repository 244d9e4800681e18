import { resolve } from "node:path";

import { CkptError, type Split } from "@ckpt/manifest";

import { countFormatBytes } from "./count-format-bytes.js";
import type { EngineName, InferenceEngine, NamedTensors } from "./engine.js";
import { type EngineChoice, selectEngine } from "./load-engine.js";
import { matchInputs } from "./match-inputs.js";
import { checkSplit } from "./prepare-evaluation.js";
import { type Artifact, digestArchitecture, readArtifact, verifyFormat } from "./read-artifact.js";
import { type LatencyProcess, startLatencyProcess } from "./start-latency-process.js";

/** What running one row costs; of a machine, and of no document that is hashed. */
export interface LatencyFigures {
  /** Percentiles of one inference of one row, on one core. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** From the file to a session, in a process that has just loaded the engine; the file is in the system's cache. */
  readonly loadMs: number;
  /** Of the format's files. */
  readonly sizeBytes: number;
  /** Largest resident memory of a process that does nothing but this: Node (about 50 MB) and the engine included. */
  readonly peakRssBytes: number;
}

/** The figures of all artifacts of one architecture in one format. */
export interface LatencyMeasurement extends LatencyFigures {
  /** Digest of what decides the figures: signature, topology, format and sizes, without the weights. */
  readonly architecture: string;
  readonly engine: { readonly name: EngineName; readonly version: string };
  /** The artifacts' ids, in the order given. */
  readonly artifacts: readonly string[];
}

/** What to measure, and how often. */
export interface MeasureLatencyOptions {
  /** The artifacts' folders. */
  readonly artifacts: readonly string[];
  /** Its first row is what they are run on. */
  readonly split: Split;
  /** Default: `auto`. */
  readonly engine?: EngineChoice;
  /** Inferences counted, a whole number from 100. Default: 500. */
  readonly runs?: number;
}

interface Subject {
  readonly artifact: Artifact;
  readonly architecture: string;
  readonly engine: InferenceEngine;
  readonly inputs: NamedTensors;
  readonly ids: string[];
}

const rounds = 10;
const warmUps = 50;

/**
 * Measures latency, size and memory, once for each architecture: the first artifact of it stands for all. Each runs in a
 * process of its own, warmed up by 50 inferences; then they take turns, ten times round, so that what else the machine
 * does meets all alike. The architectures are in the order of their first artifact.
 *
 * @throws {CkptError} what `evaluateArtifact` throws before inference; ENGINE_FAILED; INVALID_OPTION.
 */
export async function measureLatency(options: MeasureLatencyOptions): Promise<readonly LatencyMeasurement[]> {
  const { runs = 500 } = options;
  if (!Number.isInteger(runs) || runs < 100) {
    throw new CkptError("INVALID_OPTION", { option: "runs", expected: "a whole number from 100", found: String(runs) });
  }
  const subjects = await findSubjects(options);
  const processes: LatencyProcess[] = [];
  try {
    const loads: number[] = [];
    for (const { artifact, engine, inputs } of subjects) {
      const child = startLatencyProcess(engine.name, artifact.path);
      processes.push(child);
      const { signature } = artifact.manifest;
      const backend = engine.name === "tfjs" ? engine.version.split("+")[1] : undefined;
      const opening = { engine: engine.name, artifact: resolve(artifact.path), signature, inputs };
      const { loadMs } = await child.ask(
        { kind: "open", ...opening, ...(backend === undefined ? {} : { backend }) },
        "opened",
      );
      loads.push(loadMs);
      await child.ask({ kind: "run", count: warmUps }, "ran");
    }
    const samples = subjects.map(() => ({ durationsMs: [] as number[], peakRssBytes: 0 }));
    for (let round = 0; round < rounds; round++) {
      for (const [index, child] of processes.entries()) {
        const ran = await child.ask({ kind: "run", count: Math.ceil(runs / rounds) }, "ran");
        samples[index]?.durationsMs.push(...ran.durationsMs);
        samples[index]!.peakRssBytes = ran.peakRssBytes;
      }
    }
    return subjects.map(({ artifact, architecture, engine, ids }, index): LatencyMeasurement => {
      const { durationsMs, peakRssBytes } = samples[index]!;
      const sorted = durationsMs.toSorted((a, b) => a - b);
      return {
        architecture,
        engine: { name: engine.name, version: engine.version },
        artifacts: ids,
        p50Ms: percentile(sorted, 0.5),
        p95Ms: percentile(sorted, 0.95),
        p99Ms: percentile(sorted, 0.99),
        loadMs: loads[index]!,
        sizeBytes: countFormatBytes(artifact.manifest, engine.format),
        peakRssBytes,
      };
    });
  } finally {
    for (const child of processes) child.stop();
  }
}

/** The first artifact of each architecture, checked, with the ids of all of it. */
async function findSubjects({ artifacts, split, engine: choice }: MeasureLatencyOptions): Promise<readonly Subject[]> {
  checkSplit(split);
  const subjects = new Map<string, Subject>();
  for (const path of artifacts) {
    const artifact = await readArtifact(path);
    const { engine } = await selectEngine(choice ?? "auto", artifact.manifest.formats);
    const architecture = digestArchitecture(artifact, engine.format);
    const known = subjects.get(architecture);
    if (known !== undefined) {
      known.ids.push(artifact.id);
      continue;
    }
    const bind = matchInputs(path, artifact.manifest.signature, split);
    await verifyFormat(artifact, engine.format);
    const inputs = bind(await split.read(0, 1));
    subjects.set(architecture, { artifact, architecture, engine, inputs: copyTensors(inputs), ids: [artifact.id] });
  }
  return [...subjects.values()];
}

/** A view would take the whole array behind it to another process. */
function copyTensors(tensors: NamedTensors): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]),
  );
}

/** The smallest value that at least this share of all is not above. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
