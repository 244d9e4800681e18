import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { checkpointManifestType } from "../../src/checkpoint-manifest.js";
import { isCkptError } from "../../src/errors.js";
import { type Lease, leaseFolder } from "../../src/lease.js";
import { readDocument } from "../../src/read-document.js";
import { verifyFiles } from "../../src/verify-files.js";

/**
 * Arguments: folder, and a file that says when to stop. Leases the folder again and again, and whenever it has a lease
 * makes sure that every file is there, now and a moment later. Prints how often it had one, and how often it came late.
 */
const [folder = "", stop = ""] = process.argv.slice(2);
let leased = 0;
let missed = 0;
while (!existsSync(stop)) {
  let lease: Lease;
  try {
    lease = await leaseFolder(folder);
  } catch (error) {
    if (!isCkptError(error, "MANIFEST_MISSING")) throw error;
    missed++;
    await sleep(Math.random());
    continue;
  }
  for (let look = 0; look < 2; look++) {
    const { files } = await readDocument(checkpointManifestType, join(folder, "checkpoint.json"));
    const [problem] = await verifyFiles(folder, files);
    if (problem !== undefined) throw problem;
    await sleep(Math.random());
  }
  await lease.release();
  leased++;
  // As long as readers take turns without a pause, nothing can be removed.
  await sleep(Math.random() * 20);
}
console.log(`${leased} ${missed}`);
