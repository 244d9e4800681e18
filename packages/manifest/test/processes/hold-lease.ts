import { isCkptError } from "../../src/errors.js";
import { leaseFolder } from "../../src/lease.js";

/**
 * Arguments: the folder to lease, `unprivileged` to give up being root before. Prints `leased` or why not, and ends when
 * its standard input does; without releasing.
 */
const [folder = "", user = ""] = process.argv.slice(2);
if (user === "unprivileged" && process.getuid?.() === 0) process.setuid?.(65_534);
try {
  await leaseFolder(folder);
  console.log("leased");
  process.stdin.resume();
} catch (error) {
  if (!isCkptError(error)) throw error;
  console.log(error.code);
}
