import { compareMetric, type MetricMode } from "@ckpt/manifest";

/** What a greedy soup came to. */
export interface GreedySoup<Member> {
  /** In the order they were added; the best candidate first. */
  readonly members: readonly Member[];
  /** Of the last mean that was kept. */
  readonly score: number;
}

/**
 * Picks what to average: the best candidate, and then each next one with which the mean of all picked does not score worse.
 * Reference: M. Wortsman et al., Model soups (2022), recipe 1; equal scores are kept here, since on few rows ties are common.
 *
 * @param candidates - Best first, with their own scores.
 * @param scoreMean - The score of the mean of two or more.
 */
export async function pickGreedily<Member>(
  candidates: readonly { readonly member: Member; readonly score: number }[],
  mode: MetricMode,
  scoreMean: (members: readonly Member[]) => Promise<number>,
): Promise<GreedySoup<Member>> {
  const [best, ...others] = candidates;
  if (best === undefined) throw new TypeError("a soup is of candidates");
  let members: readonly Member[] = [best.member];
  let { score } = best;
  for (const { member } of others) {
    const tried = [...members, member];
    const found = await scoreMean(tried);
    if (!Number.isFinite(found) || compareMetric(found, score, mode) > 0) continue;
    members = tried;
    score = found;
  }
  return { members, score };
}
