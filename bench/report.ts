import os from "node:os";
import process from "node:process";

import * as tf from "@tensorflow/tfjs";

import { median } from "./median.js";

/** What a ratio has to keep to. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** One line that says where the figures below it were measured. */
export function printMachine(): void {
  const cpus = os.cpus();
  const cpu = `${cpus.length} x ${cpus[0]?.model ?? "unknown CPU"}`;
  console.log(`tfjs ${tf.version.tfjs} on ${tf.getBackend()}, Node ${process.version}, ${os.type()}, ${cpu}`);
}

/** A heading over lines of samples. */
export function printHeading(title: string, unit: string): void {
  const columns = ["median", "min", "max"].map((name) => name.padStart(10)).join("");
  console.log(`\n${title}\n${unit.padEnd(44)}${columns}`);
}

/** Median, smallest and largest of the samples of one thing. */
export function printSamples(name: string, samples: readonly number[]): void {
  const figures = [median(samples), Math.min(...samples), Math.max(...samples)];
  console.log(name.padEnd(44) + figures.map((figure) => figure.toFixed(2).padStart(10)).join(""));
}

/** A ratio beside its target. */
export function printRatio(name: string, ratio: number, target: Target): void {
  const [isMet, bound] =
    "atMost" in target
      ? [ratio <= target.atMost, `at most ${target.atMost}`]
      : [ratio >= target.atLeast, `at least ${target.atLeast}`];
  console.log(`${name.padEnd(44)}${ratio.toFixed(2).padStart(10)}   target ${bound}: ${isMet ? "met" : "MISSED"}`);
}
