import type { Judgement, Verdict } from "@ckpt/evaluator";
import type { ArtifactManifest, DataRecord } from "@ckpt/manifest";

/** What was judged. */
export interface TestedArtifact {
  /** Name of its folder. */
  readonly id: string;
  readonly files: ArtifactManifest["files"];
  readonly split: DataRecord;
  /** SHA-256 of the gate's file. */
  readonly gate: string;
}

const results: Readonly<Record<Verdict, string>> = { pass: "PASSED", inconclusive: "WARNED", fail: "FAILED" };

/**
 * An in-toto statement, unsigned, that says of every file of an artifact how it came out of a gate: what is inconclusive is
 * a warning. Reference: the in-toto attestation framework, Statement v1 and the predicate Test Result v0.1.
 */
export function describeTestResult(
  { id, files, split, gate }: TestedArtifact,
  verdict: Verdict,
  judgements: readonly Judgement[],
): object {
  const named = (wanted: Verdict): readonly string[] =>
    judgements.filter((judgement) => judgement.verdict === wanted).map(({ text }) => text);
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: files.map(({ path, sha256 }) => ({ name: `${id}/${path}`, digest: { sha256 } })),
    predicateType: "https://in-toto.io/attestation/test-result/v0.1",
    predicate: {
      result: results[verdict],
      configuration: [
        { name: "gate", digest: { sha256: gate } },
        { name: `split ${split.name}`, digest: { sha256: split.digest } },
      ],
      passedTests: named("pass"),
      warnedTests: named("inconclusive"),
      failedTests: named("fail"),
    },
  };
}
