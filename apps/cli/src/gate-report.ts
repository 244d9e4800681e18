import type { Judgement, Verdict } from "@ckpt/evaluator";

import { formatEstimate } from "./format-ranking.js";
import { formatScoring, type ScoredBy } from "./format-scoring.js";
import { formatTable, leftColumn, rightColumn } from "./table.js";

/** A gate and what became of it. */
export interface GateReport extends ScoredBy {
  /** The artifact's folder. */
  readonly artifact: string;
  readonly split: { readonly name: string; readonly rowCount: number };
  readonly verdict: Verdict;
  readonly judgements: readonly Judgement[];
}

const glyphs: Readonly<Record<Verdict, string>> = { pass: "✔ pass", fail: "✖ fail", inconclusive: "? inconclusive" };

/** A table for people: what was asked, what was found, and the verdict. */
export function formatGate({ artifact, split, verdict, judgements, ...scored }: GateReport): string {
  const columns = [leftColumn("requirement"), rightColumn("found"), leftColumn("interval"), leftColumn("verdict")];
  const rows = judgements.map((judgement) => [
    judgement.text,
    ...formatEstimate(judgement.found),
    `${glyphs[judgement.verdict]}${explain(judgement)}`,
  ]);
  return `${formatTable(columns, rows)}gate ${verdict} for ${artifact} on split ${split.name}, ${split.rowCount} rows${formatScoring(scored)}\n`;
}

/** JUnit's XML: a test case for each thing asked; what is not a pass is a failure, of type `fail` or `inconclusive`. */
export function formatGateAsJunit({ artifact, split, judgements }: GateReport): string {
  const suite = escapeXml(`ckpt gate ${artifact}`);
  const failures = judgements.filter(({ verdict }) => verdict !== "pass").length;
  const cases = judgements.map((judgement) => {
    const name = `    <testcase classname="${suite}" name="${escapeXml(judgement.text)}"`;
    if (judgement.verdict === "pass") return `${name}/>\n`;
    const message = escapeXml(`${describeFound(judgement)} on split ${split.name}${explain(judgement)}`);
    return `${name}>\n      <failure type="${judgement.verdict}" message="${message}"/>\n    </testcase>\n`;
  });
  const counts = `tests="${judgements.length}" failures="${failures}"`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n` +
    `  <testsuite name="${suite}" ${counts}>\n${cases.join("")}  </testsuite>\n</testsuites>\n`
  );
}

/** Markdown for the summary of a step on GitHub. */
export function formatGateAsMarkdown({ artifact, split, verdict, judgements, ...scored }: GateReport): string {
  const rows = judgements.map((judgement) => {
    const [value, interval] = formatEstimate(judgement.found).map(escapeCell);
    const found = `${value} ${interval}`.trim();
    return `| ${escapeCell(judgement.text)} | ${found} | ${glyphs[judgement.verdict]}${escapeCell(explain(judgement))} |\n`;
  });
  return (
    `### Gate: ${glyphs[verdict]}\n\n\`${artifact}\` on split ${split.name}, ${split.rowCount} rows${formatScoring(scored)}\n\n` +
    `| requirement | found | verdict |\n|---|---|---|\n${rows.join("")}\n`
  );
}

function describeFound({ found }: Judgement): string {
  return found === undefined ? "nothing found" : formatEstimate(found).join(" ").trim();
}

function explain({ reason, moreRows }: Judgement): string {
  if (reason !== undefined) return `: ${reason}`;
  return moreRows === undefined ? "" : `: about ${moreRows.toLocaleString("en")} more rows would decide`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function escapeCell(text: string): string {
  return text
    .replaceAll("|", String.raw`\|`)
    .replaceAll("<", "&lt;")
    .replaceAll("\n", " ");
}
