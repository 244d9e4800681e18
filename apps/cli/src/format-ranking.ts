import type { CandidateStatus, MetricEstimate, RankedCandidate, RankingManifest } from "@ckpt/manifest";

import { formatMetric, formatTable, leftColumn, rightColumn } from "./table.js";

/** The ranking as part of a `--json` document, which has a `schemaVersion` of its own. */
export function describeRanking(ranking: RankingManifest): Omit<RankingManifest, "kind" | "schemaVersion"> {
  const { kind: _kind, schemaVersion: _version, ...rest } = ranking;
  return rest;
}

/** The ranking as a table, best first, with the rule that decided. */
export function formatRanking(ranking: RankingManifest): string {
  const names = [...new Set(ranking.candidates.flatMap((candidate) => Object.keys(candidate.metrics)))];
  const primary = ranking.metric.name;
  const ordered = [primary, ...names.filter((name) => name !== primary)];
  const arrow = ranking.metric.mode === "max" ? "↑" : "↓";
  const columns = [
    rightColumn("rank"),
    leftColumn("candidate"),
    ...ordered.flatMap((name) => [
      rightColumn(name === primary ? `${name}${arrow}` : name),
      leftColumn("95 % interval"),
    ]),
    leftColumn("status"),
  ];
  const rows = ranking.candidates.map((candidate) => [
    candidate.rank?.toString() ?? "-",
    candidate.id,
    ...ordered.flatMap((name) => formatEstimate(candidate.metrics[name])),
    formatStatus(candidate),
  ]);
  const { name, rowCount } = ranking.split;
  const pick =
    ranking.pick === undefined
      ? "no candidate could be ranked\n"
      : `pick ${ranking.pick.id}, decided by ${ranking.pick.decidedBy}\n`;
  return `${formatTable(columns, rows)}on split ${name}, ${rowCount} rows; ${pick}`;
}

/** A glyph and a word, and the reason where there is one. */
function formatStatus({ status, reason }: RankedCandidate): string {
  return statusTexts[status] ?? `${status}: ${reason ?? ""}`;
}

const statusTexts: Partial<Record<CandidateStatus, string>> = {
  best: "★ best",
  tied: "≈ tied",
  worse: "▼ worse",
  ranked: "",
};

/** Value and interval of one metric, as two cells. */
export function formatEstimate(estimate: MetricEstimate | undefined): readonly [value: string, interval: string] {
  if (estimate === undefined) return ["-", ""];
  const { value, interval } = estimate;
  return [formatMetric(value), interval === undefined ? "" : `[${interval.map(formatMetric).join(", ")}]`];
}
