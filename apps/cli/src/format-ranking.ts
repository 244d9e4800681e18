import type { CandidateStatus, MetricEstimate, RankedCandidate, RankingManifest } from "@ckpt/manifest";

import { formatScoring } from "./format-scoring.js";
import { type Column, formatBytes, formatMetric, formatTable, leftColumn, rightColumn } from "./table.js";

/** The ranking as part of a `--json` document, which has a `schemaVersion` of its own. */
export function describeRanking(ranking: RankingManifest): Omit<RankingManifest, "kind" | "schemaVersion"> {
  const { kind: _kind, schemaVersion: _version, ...rest } = ranking;
  return rest;
}

/** The ranking as a table, best first, with the rule that decided. */
export function formatRanking(ranking: RankingManifest): string {
  const { candidates } = ranking;
  const names = [...new Set(candidates.flatMap((candidate) => Object.keys(candidate.metrics)))];
  const primary = ranking.metric.name;
  const level = `${formatPercent(ranking.confidence ?? 0.95)} interval`;
  const arrow = ranking.metric.mode === "max" ? "↑" : "↓";
  const parts: readonly Part[] = [
    estimatePart(`${primary}${arrow}`, level, ({ metrics, dropped }) => metrics[primary] ?? dropped?.metric),
    ...(candidates.some(({ difference }) => difference !== undefined)
      ? [estimatePart("vs best", level, ({ difference }) => difference, formatDifference)]
      : []),
    ...(candidates.some(({ slices }) => slices !== undefined) ? [worstSlicePart(primary)] : []),
    ...(candidates.some(({ mcnemar }) => mcnemar !== undefined) ? [mcnemarPart] : []),
    ...names
      .filter((name) => name !== primary)
      .map((name) => estimatePart(name, level, ({ metrics }) => metrics[name])),
    ...listMeasures(candidates).map(measurePart),
  ];
  const columns = [
    rightColumn("rank"),
    leftColumn("candidate"),
    ...parts.flatMap((part) => part.columns),
    leftColumn("status"),
  ];
  const rows = candidates.map((candidate) =>
    [formatRank(candidate), candidate.id].concat(
      parts.flatMap((part) => part.cells(candidate)),
      formatStatus(candidate),
    ),
  );
  const { name, rowCount } = ranking.split;
  return `${formatTable(columns, rows)}on split ${name}, ${rowCount} rows${formatScoring(ranking)}; ${formatPick(ranking)}\n${formatRace(ranking)}`;
}

/** What a race took the place of. */
function formatRace({ race, candidates, metric }: RankingManifest): string {
  if (race === undefined) return "";
  const droppedCount = candidates.filter(({ status }) => status === "dropped").length;
  return (
    `${droppedCount} dropped by a race by ${metric.name}, on part of the rows: ` +
    `the best of all is among them with a probability of at most ${formatPercent(race.delta)}; --no-race scores all\n`
  );
}

/** Some columns of the table, and what a candidate has there. */
interface Part {
  readonly columns: readonly Column[];
  cells(candidate: RankedCandidate): readonly string[];
}

function estimatePart(
  heading: string,
  intervalHeading: string,
  find: (candidate: RankedCandidate) => MetricEstimate | undefined,
  format: typeof formatEstimate = formatEstimate,
): Part {
  return {
    columns: [rightColumn(heading), leftColumn(intervalHeading)],
    cells: (candidate) => format(find(candidate)),
  };
}

/** The primary metric of the slice where it is worst, and the slice's name. */
function worstSlicePart(primary: string): Part {
  return {
    columns: [rightColumn("worst slice"), leftColumn("")],
    cells: ({ slices = [], worstSlices = {} }) => {
      const worst = slices.find(({ name }) => name === worstSlices[primary]);
      return worst === undefined ? ["-", ""] : [formatEstimate(worst.metrics[primary])[0], worst.name];
    },
  };
}

const mcnemarPart: Part = {
  columns: [rightColumn("McNemar p")],
  cells: ({ mcnemar }) => [mcnemar === undefined ? "-" : formatMetric(mcnemar.exact)],
};

/** Measures that tell candidates apart; what all have alike says nothing here. */
function listMeasures(candidates: readonly RankedCandidate[]): readonly string[] {
  const names = [...new Set(candidates.flatMap(({ measures = {} }) => Object.keys(measures)))];
  return names.filter((name) => new Set(candidates.flatMap(({ measures = {} }) => measures[name] ?? [])).size > 1);
}

function measurePart(name: string): Part {
  return {
    columns: [rightColumn(name)],
    cells: ({ measures = {} }) => {
      const value = measures[name];
      if (value === undefined) return ["-"];
      return [name === "bytes" || name === "rss" ? formatBytes(value) : `${value} ms`];
    },
  };
}

function formatRank({ rank, status }: RankedCandidate): string {
  if (rank === undefined) return "-";
  return status === "tied" ? `${rank}=` : String(rank);
}

function formatPick({ pick, candidates }: RankingManifest): string {
  if (pick === undefined) return "no candidate could be ranked";
  const tiedCount = candidates.filter(({ status }) => status === "tied").length;
  const among = tiedCount === 0 ? "" : `, tied with ${tiedCount}`;
  return `pick ${pick.id}${among}, decided by ${pick.decidedBy}`;
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

/** A share as people read it: 97.5 %. */
export function formatPercent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

/** Value and interval of one metric, as two cells. */
export function formatEstimate(estimate: MetricEstimate | undefined): readonly [value: string, interval: string] {
  if (estimate === undefined) return ["-", ""];
  const { value, interval } = estimate;
  return [formatMetric(value), interval === undefined ? "" : `[${interval.map(formatMetric).join(", ")}]`];
}

/** The same of a difference: what is more has a plus sign. */
export function formatDifference(estimate: MetricEstimate | undefined): readonly [value: string, interval: string] {
  const [value, interval] = formatEstimate(estimate);
  return [estimate !== undefined && estimate.value > 0 ? `+${value}` : value, interval];
}
