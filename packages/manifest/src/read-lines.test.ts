import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";
import { z } from "zod";

import { useTemporaryFolder } from "../test/temporary-folder.js";
import { serializeLine } from "./document.js";
import { readLines } from "./read-lines.js";

const temporaryFolder = useTemporaryFolder();
const schema = z.object({ n: z.number() });

it("reads all lines or none, and names the one that is damaged", async () => {
  const path = join(temporaryFolder(), "lines.jsonl");
  expect(await readLines(schema, path)).toBeUndefined();
  await writeFile(path, "");
  expect(await readLines(schema, path)).toEqual([]);
  const text = [1, 2].map((n) => serializeLine({ n })).join("");
  await writeFile(path, text);
  expect((await readLines(schema, path))?.map(({ n }) => n)).toEqual([1, 2]);
  await writeFile(path, text.replace('"n":2', '"n":3'));
  await expect(readLines(schema, path)).rejects.toMatchObject({
    code: "MANIFEST_INVALID",
    details: { path: `${path}:2` },
  });
  await writeFile(path, text.slice(0, -1));
  await expect(readLines(schema, path)).rejects.toMatchObject({ details: { path } });
});
