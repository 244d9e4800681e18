import { accessSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";

import * as tf from "@tensorflow/tfjs";
import { chromium } from "playwright-core";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { freeze } from "../../src/index.js";
import { createTemporaryFolder, writeCheckpoint } from "../folders.js";
import { createConvModel, createNestedModel } from "../models.js";
import { serveFolders } from "./static-server.js";

/** The browser: `CKPT_CHROMIUM`, or the first on the path that goes by one of its usual names. */
function findChromium(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env["CKPT_CHROMIUM"] ?? "", ...candidates].find((path) => {
    try {
      accessSync(path);
      return path !== "";
    } catch {
      return false;
    }
  });
}

const executablePath = findChromium();
const needsBrowser =
  executablePath === undefined ? " (not run: no Chromium found; install one or name it in CKPT_CHROMIUM)" : "";
const library = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs/dist/tf.min.js"));

/** A tensor that goes from one process to another. */
interface PlainTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

async function toPlain(tensor: tf.Tensor): Promise<PlainTensor> {
  return { shape: tensor.shape, values: Array.from(await tensor.data()) };
}

/** Loads a GraphModel in a page and predicts on one of the page's backends. Runs in the browser. */
async function predictInPage({
  url,
  inputs,
  backend,
}: {
  readonly url: string;
  readonly inputs: Readonly<Record<string, PlainTensor>>;
  readonly backend: string;
}): Promise<readonly PlainTensor[]> {
  const { tf: page } = globalThis as unknown as { readonly tf: typeof tf };
  if (!(await page.setBackend(backend))) throw new Error(`no backend ${backend}`);
  const model = await page.loadGraphModel(url);
  const tensors = Object.entries(inputs).map(
    ([name, { shape, values }]) => [name, page.tensor([...values], [...shape])] as const,
  );
  const result = model.predict(Object.fromEntries(tensors)) as tf.Tensor | tf.Tensor[];
  const outputs: PlainTensor[] = [];
  for (const output of Array.isArray(result) ? result : [result]) {
    outputs.push({ shape: output.shape, values: Array.from(await output.data()) });
  }
  return outputs;
}

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("a GraphModel in a page", () => {
  it.runIf(executablePath !== undefined).each([
    ["a convolutional model", "cpu", createConvModel, 1e-5],
    ["a convolutional model", "webgl", createConvModel, 1e-4],
    ["two inputs and two outputs", "cpu", createNestedModel, 1e-5],
  ] as const)(
    `predicts what the checkpoint's model does, with %s on %s${needsBrowser}`,
    async (_, backend, make, tolerance) => {
      const folder = await createTemporaryFolder();
      const model = make();
      const source = await writeCheckpoint(join(folder, "checkpoint"), model, 1);
      const { path, manifest } = await freeze({ source, out: join(folder, "artifact"), formats: ["graph-model"] });
      const tensors = model.inputs.map(({ shape }, index) =>
        tf.randomNormal(
          shape.map((size) => size ?? 3),
          0,
          1,
          "float32",
          index + 1,
        ),
      );
      const result = model.predict(tensors);
      const expected = await Promise.all((Array.isArray(result) ? result : [result]).map(toPlain));
      const named = tensors.map(
        async (tensor, index) => [manifest.signature.inputs[index]?.name ?? "", await toPlain(tensor)] as const,
      );
      const inputs = Object.fromEntries(await Promise.all(named));

      const address = await serveFolders('<!doctype html><script src="/tfjs/tf.min.js"></script>', {
        "/tfjs/": library,
        "/artifact/": path,
      });
      const browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
      onTestFinished(() => browser.close());
      const page = await browser.newPage();
      await page.goto(address);
      const url = `${address}/artifact/graph-model/model.json`;
      const found = await page.evaluate(predictInPage, { url, inputs, backend });

      expect(found.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
      for (const [index, { values }] of expected.entries()) {
        const errors = values.map((value, at) => Math.abs(value - (found[index]?.values[at] ?? Number.NaN)));
        expect(Math.max(...errors)).toBeLessThan(tolerance);
      }
    },
  );
});
