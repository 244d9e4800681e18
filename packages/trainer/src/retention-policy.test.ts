import { describe, expect, it } from "vitest";

import { keepBest } from "./keep-best.js";
import { keepLatest } from "./keep-steps.js";
import { type RetentionCandidate, selectKept, type SelectKeptOptions } from "./retention-policy.js";

const at = (step: number, val_loss?: number): RetentionCandidate => ({
  step,
  metrics: val_loss === undefined ? {} : { val_loss },
});
const six = [at(1, 5), at(2, 1), at(3, 4), at(4, 1), at(5, Number.NaN), at(6, 9)];
const best = (k: number): SelectKeptOptions["keep"] => [keepBest(k, { monitor: "val_loss" })];

describe("selectKept", () => {
  it.each<readonly [string, readonly RetentionCandidate[], SelectKeptOptions, readonly number[]]>([
    ["keeps all without a policy", six, { keep: [], maxToKeep: 150 }, [1, 2, 3, 4, 5, 6]],
    ["drops the oldest beyond the limit", six, { keep: [], maxToKeep: 2 }, [5, 6]],
    ["never drops the newest for an older best", six, { keep: best(1), maxToKeep: 2 }, [2, 6]],
    ["keeps the older of equally good ones", six, { keep: best(1), maxToKeep: 9 }, [2, 6]],
    ["keeps the k best and the newest", six, { keep: best(3), maxToKeep: 9 }, [2, 3, 4, 6]],
    [
      "has no place among the best for NaN",
      [at(1, Number.NaN), at(2, 3), at(3)],
      { keep: best(2), maxToKeep: 9 },
      [2, 3],
    ],
    ["adds policies up", six, { keep: [...best(1), keepLatest(2)], maxToKeep: 9 }, [2, 5, 6]],
    [
      "limits the sum, oldest first, but not the best",
      six,
      { keep: [...best(1), keepLatest(4)], maxToKeep: 3 },
      [2, 5, 6],
    ],
    [
      "protects the best by the save policy's metric as well",
      six,
      { keep: [keepLatest(1)], maxToKeep: 9, monitors: [{ monitor: "val_loss", mode: "min" }] },
      [2, 6],
    ],
    ["maximizes when told to", six, { keep: [keepBest(1, { monitor: "val_loss", mode: "max" })], maxToKeep: 9 }, [6]],
    ["keeps what is pinned, beyond the limit", six, { keep: [], maxToKeep: 2, pinned: new Set([1, 3]) }, [1, 3, 5, 6]],
    [
      "does not count what is pinned, though it is the newest, the best or wanted",
      six,
      { keep: [...best(1), keepLatest(4)], maxToKeep: 2, pinned: new Set([2, 6]) },
      [2, 4, 5, 6],
    ],
    ["knows no pinned step that is not there", six, { keep: best(1), maxToKeep: 9, pinned: new Set([7]) }, [2, 6]],
    [
      "protects the best once for a metric that two watch",
      six,
      { keep: best(1), maxToKeep: 2, monitors: [{ monitor: "val_loss", mode: "min" }] },
      [2, 6],
    ],
    ["keeps nothing of nothing", [], { keep: best(2), maxToKeep: 9 }, []],
  ])("%s", (_name, checkpoints, options, expected) => expect(selectKept(checkpoints, options)).toEqual(expected));

  it("refuses a limit that leaves no room for the newest and the best", () => {
    expect(() => selectKept(six, { keep: best(1), maxToKeep: 1 })).toThrow(
      "maxToKeep: expected an integer of at least 2",
    );
    expect(() => selectKept(six, { keep: [], maxToKeep: 0 })).toThrow("at least 1");
  });
});
