import type { TensorSpec } from "@ckpt/manifest";

import { openGraphModel, type OpenGraphModel } from "./open-graph-model.js";
import { serveCalls } from "./serve-calls.js";
import type { Tfjs } from "./tfjs-tensors.js";
import { timeCalls } from "./time-calls.js";
import { useBackend } from "./use-backend.js";
import type { EngineCalls } from "./worker-message.js";

// The entry of the worker thread of TensorFlow.js.

const models = new Map<number, OpenGraphModel>();
let openedCount = 0;
let loaded: Tfjs | undefined;

serveCalls({ load, open, run, time, close });

async function load({ backend }: EngineCalls["load"]["request"]): Promise<EngineCalls["load"]["response"]> {
  const tf = await import("@tensorflow/tfjs");
  if (backend !== undefined) await useBackend(tf, backend);
  loaded = tf;
  return { version: tf.version.tfjs };
}

async function open({ path, signature }: EngineCalls["open"]["request"]): Promise<EngineCalls["open"]["response"]> {
  if (loaded === undefined) throw new Error("TensorFlow.js is not loaded");
  const model = await openGraphModel(loaded, path, signature);
  openedCount += 1;
  models.set(openedCount, model);
  return { session: openedCount, inputs: namesOf(signature.inputs), outputs: namesOf(signature.outputs) };
}

async function run({ session, inputs }: EngineCalls["run"]["request"]): Promise<EngineCalls["run"]["response"]> {
  const outputs = Object.entries(await modelOf(session).predict(inputs));
  // Copied: on `cpu` an output may be the memory of a weight, which a transfer would take away.
  return Object.fromEntries(outputs.map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]));
}

function time({ count, ...request }: EngineCalls["time"]["request"]): Promise<EngineCalls["time"]["response"]> {
  return timeCalls(count, () => run(request));
}

function close({ session }: EngineCalls["close"]["request"]): Promise<undefined> {
  modelOf(session).dispose();
  models.delete(session);
  return Promise.resolve(undefined);
}

function namesOf(specs: readonly TensorSpec[]): readonly string[] {
  return specs.map(({ name }) => name);
}

function modelOf(id: number): OpenGraphModel {
  const model = models.get(id);
  if (model === undefined) throw new Error("the session is closed");
  return model;
}
