import { describe, expect, it } from "vitest";

import { createPermutation, createRandom } from "./random.js";
import { createSeededRandom } from "./seeded-random.js";

describe("createRandom", () => {
  it("follows the reference implementation of xoshiro128**", () => {
    const random = createRandom(0, "any");
    random.setState([1, 2, 3, 4]);
    // The first four words of the authors' C code from state 1, 2, 3, 4.
    const words = [11520, 0, 5927040, 70819200];
    const expected = [0, 2]
      .map((at) => ((words[at] ?? 0) >>> 5) * 2 ** 26 + ((words[at + 1] ?? 0) >>> 6))
      .map((n) => n / 2 ** 53);
    expect([random.next(), random.next()]).toEqual(expected);
  });

  it("goes on from a state that went through JSON", () => {
    const random = createRandom(7, "a");
    random.next();
    const state = JSON.parse(JSON.stringify(random.getState())) as ReturnType<typeof random.getState>;
    const expected = [random.next(), random.next()];
    const other = createRandom(8, "b");
    other.setState(state);
    expect([other.next(), other.next()]).toEqual(expected);
  });

  it("gives other numbers for another seed or stream", () => {
    const generators = [createRandom(1, "a"), createRandom(2, "a"), createRandom(1, "b")];
    expect(new Set(generators.map((random) => random.next())).size).toBe(3);
  });

  it("is uniform enough: a tenth in each tenth, within four standard deviations", () => {
    const random = createRandom(1, "uniform");
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 20_000; i++) {
      const bin = Math.floor(random.next() * 10);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(4 * Math.sqrt(20_000 * 0.1 * 0.9));
  });
});

describe("createPermutation", () => {
  it("has every index once, in another order each time", () => {
    const random = createRandom(1, "order");
    const orders = [createPermutation(100, random), createPermutation(100, random)];
    for (const order of orders) {
      expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    }
    expect(orders[0]).not.toEqual(orders[1]);
  });

  it("makes each order of three equally likely", () => {
    const random = createRandom(2, "fair");
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = createPermutation(3, random).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values())
      expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(((6000 / 6) * 5) / 6));
  });
});

describe("createSeededRandom", () => {
  it("replaces Math.random while it is installed, also when the action fails", async () => {
    const { random } = Math;
    const seeded = createSeededRandom(1);
    const numbers = await seeded.run(async () => [Math.random(), Math.random()]);
    expect(Math.random).toBe(random);
    await expect(seeded.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(Math.random).toBe(random);
    expect(await createSeededRandom(1).run(() => [Math.random(), Math.random()])).toEqual(numbers);
  });

  it("stays installed after a nested run, until it is uninstalled", async () => {
    const { random } = Math;
    const seeded = createSeededRandom(1);
    seeded.install();
    await seeded.run(() => Math.random());
    expect(Math.random).not.toBe(random);
    seeded.uninstall();
    expect(Math.random).toBe(random);
  });

  it("refuses a second one at the same time", () => {
    const seeded = createSeededRandom(1);
    seeded.install();
    try {
      expect(() => createSeededRandom(2).install()).toThrow(TypeError);
    } finally {
      seeded.uninstall();
    }
  });
});
