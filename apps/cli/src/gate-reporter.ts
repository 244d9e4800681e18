import { appendFile, writeFile } from "node:fs/promises";

import { CkptError } from "@ckpt/manifest";

import { formatGateAsJunit, formatGateAsMarkdown, type GateReport } from "./gate-report.js";
import { serializeResult } from "./serialize-result.js";

/** One way to report a gate, and where. */
export interface GateReporter {
  readonly format: "junit" | "github" | "json";
  /** Default: standard output; for `github` what `GITHUB_STEP_SUMMARY` names. */
  readonly path?: string;
}

const formats: Readonly<Record<GateReporter["format"], (report: GateReport) => string>> = {
  junit: formatGateAsJunit,
  github: formatGateAsMarkdown,
  json: (report) => serializeResult({ command: "gate", ...report }),
};

/**
 * Reads `--reporter FORMAT[=FILE]`.
 *
 * @param isJson - Standard output is for the command's own document.
 * @throws {CkptError} INVALID_OPTION for an unknown format, more for standard output than it takes, or `github` where there
 *   is neither a file nor `GITHUB_STEP_SUMMARY`.
 */
export function parseReporters(
  texts: readonly string[],
  environment: NodeJS.ProcessEnv,
  isJson: boolean,
): readonly GateReporter[] {
  const reporters = texts.map((text): GateReporter => {
    const [, format = "", path] = /^([^=]*)(?:=(.+))?$/.exec(text) ?? [];
    if (format !== "junit" && format !== "github" && format !== "json") {
      throw invalid("junit, github or json, with =FILE behind it or not", text);
    }
    const place = path ?? (format === "github" ? environment["GITHUB_STEP_SUMMARY"] : undefined);
    if (format === "github" && !place) throw invalid("github=FILE, as GITHUB_STEP_SUMMARY is not set", text);
    return { format, ...(place === undefined ? {} : { path: place }) };
  });
  const printedCount = reporters.filter(({ path }) => path === undefined).length;
  if (printedCount > 1) throw invalid("a =FILE for all but one", texts.join(", "));
  if (isJson && printedCount > 0) throw invalid("a =FILE beside --json, which prints a document", texts.join(", "));
  return reporters;
}

/**
 * Writes the reports that have a file; a GitHub summary is appended to, others are replaced.
 *
 * @returns What is for standard output, if a report is.
 * @throws {CkptError} FILE_SYSTEM
 */
export async function writeReports(
  report: GateReport,
  reporters: readonly GateReporter[],
): Promise<string | undefined> {
  let printed: string | undefined;
  for (const { format, path } of reporters) {
    const text = formats[format](report);
    if (path === undefined) printed = text;
    else await writeReport(path, text, format === "github" ? appendFile : writeFile);
  }
  return printed;
}

async function writeReport(path: string, text: string, write: (path: string, text: string) => Promise<void>) {
  try {
    await write(path, text);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new CkptError("FILE_SYSTEM", { path, operation: "write", reason }, { cause });
  }
}

function invalid(expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option: "--reporter", expected, found });
}
