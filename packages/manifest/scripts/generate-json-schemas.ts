import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { z } from "zod";

import {
  artifactManifestType,
  checkpointManifestType,
  type DocumentHeader,
  type DocumentType,
  evaluationManifestType,
  metricsManifestType,
  raceManifestType,
  rankingManifestType,
  runManifestType,
  scoringManifestType,
} from "../src/index.js";

/*
 * Writes schemas/<kind>.schema.json, the JSON Schema of each kind of document, from the zod schemas that the readers
 * use. With `--check` it writes nothing, names the files that differ, and exits with 1 if there are any.
 */

const types: readonly DocumentType<DocumentHeader<string>>[] = [
  runManifestType,
  checkpointManifestType,
  artifactManifestType,
  evaluationManifestType,
  metricsManifestType,
  raceManifestType,
  rankingManifestType,
  scoringManifestType,
];

function serializeJsonSchema(type: DocumentType<DocumentHeader<string>>): string {
  // As input: a document may have fields that the schema does not know.
  const {
    $schema,
    properties = {},
    required = [],
    ...rest
  } = z.toJSONSchema(type.schema, {
    target: "draft-2020-12",
    io: "input",
  });
  const schema = {
    $schema,
    title: `ckpt ${type.kind}, schema version ${type.schemaVersion}`,
    description: "What JSON Schema cannot say, the canonical form and the digest, is in docs/formats.md.",
    ...rest,
    properties: {
      ...properties,
      schemaVersion: { type: "integer", minimum: 1, maximum: type.schemaVersion },
      digest: { type: "string", pattern: "^[0-9a-f]{64}$" },
    },
    required: [...required, "digest"],
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const folder = fileURLToPath(new URL("../schemas/", import.meta.url));
const expected = new Map(types.map((type) => [`${type.kind}.schema.json`, serializeJsonSchema(type)]));

if (process.argv.includes("--check")) {
  const names = new Set([...expected.keys(), ...(await readdir(folder).catch(() => []))]);
  const different: string[] = [];
  for (const name of names) {
    const found = await readFile(join(folder, name), "utf8").catch(() => undefined);
    if (found !== expected.get(name)) different.push(name);
  }
  for (const name of different) console.error(`schemas/${name} differs from src; run the script "generate"`);
  process.exitCode = different.length === 0 ? 0 : 1;
} else {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of expected) await writeFile(join(folder, name), text);
}
