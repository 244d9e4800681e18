import { describe, expect, it } from "vitest";

import { pickGreedily } from "./greedy-soup.js";

const candidates = [5, 4, 3, 2].map((score) => ({ member: score, score }));

/** Scores by the members' names, and records what was asked. */
function scoreBy(scores: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const scoreMean = async (members: readonly number[]): Promise<number> => {
    asked.push(members.join("+"));
    return scores[members.join("+")] ?? NaN;
  };
  return { asked, scoreMean };
}

describe("pickGreedily", () => {
  it("adds each next one unless the mean gets worse, and keeps a tie", async () => {
    const { asked, scoreMean } = scoreBy({ "5+4": 5, "5+4+3": 4.9, "5+4+2": 6 });
    expect(await pickGreedily(candidates, "max", scoreMean)).toEqual({ members: [5, 4, 2], score: 6 });
    expect(asked).toEqual(["5+4", "5+4+3", "5+4+2"]);
  });

  it("goes the other way for a loss, and never takes what has no score", async () => {
    const { scoreMean } = scoreBy({ "5+4": 5.1, "5+3": NaN, "5+2": 1 });
    expect(await pickGreedily(candidates, "min", scoreMean)).toEqual({ members: [5, 2], score: 1 });
    expect(await pickGreedily(candidates, "max", scoreBy({}).scoreMean)).toEqual({ members: [5], score: 5 });
  });
});
