import {
  bindSignature,
  bindSignatures,
  type BoundSignature,
  type Graph,
  type GraphTemplate,
  type ModelCut,
  servingSignatureKey,
  type SignatureChoice,
} from "@ckpt/graph";
import { type ArtifactManifest, CkptError, type Signature } from "@ckpt/manifest";

/** Signatures of the SavedModel besides `serving_default`, by key. */
export type FurtherSignatures = Readonly<Record<string, SignatureChoice>>;

/** What a SavedModel with several signatures holds. */
export interface SavedModelContent {
  /** Computes the outputs of all signatures. */
  readonly graph: Graph;
  /** By key, `serving_default` among them. */
  readonly signatures: Readonly<Record<string, BoundSignature>>;
}

/**
 * Checks what further signatures were asked for, and puts them in the order of their keys.
 *
 * @throws {CkptError} INVALID_OPTION.
 */
export function checkSignatures(
  signatures: FurtherSignatures,
  { formats }: Pick<ArtifactManifest, "formats">,
): FurtherSignatures {
  if (!formats.includes("saved-model")) {
    throw refuse(
      "furtherSignatures",
      "saved-model among the formats, the only one that has several",
      formats.join(", "),
    );
  }
  for (const [key, { outputs }] of Object.entries(signatures)) {
    const option = `furtherSignatures.${key}`;
    if (key === servingSignatureKey) throw refuse(option, "another key: its outputs are those of `outputs`", key);
    if (!/^\w+$/.test(key)) throw refuse(option, "a key of letters, digits and `_`", key);
    const repeated = outputs.find((name, index) => outputs.indexOf(name) !== index);
    if (repeated !== undefined) throw refuse(`${option}.outputs`, "each name once", `${repeated} twice`);
    if (outputs.length === 0) throw refuse(`${option}.outputs`, "one or more names", "none");
  }
  // Equal requests give equal bytes.
  return Object.fromEntries(Object.entries(signatures).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function refuse(option: string, expected: string, found: string): CkptError {
  return new CkptError("INVALID_OPTION", { option, expected, found });
}

/** The cut whose outputs are those of all signatures, each once. */
export function joinSignatures(cut: ModelCut, own: Signature, signatures: FurtherSignatures): ModelCut {
  const names = [
    ...own.outputs.map(({ name }) => name),
    ...Object.values(signatures).flatMap(({ outputs }) => outputs),
  ];
  return { ...cut, outputs: [...new Set(names)] };
}

/** Binds the signatures to a graph that has the outputs of all of them. `serving_default` keeps all inputs. */
export function bindContent(graph: Graph, own: Signature, signatures: FurtherSignatures): SavedModelContent {
  const outputs = own.outputs.map(({ name }) => name);
  const { [servingSignatureKey]: serving, ...further } = bindSignatures(graph, {
    [servingSignatureKey]: { outputs },
    ...signatures,
  });
  const { inputs } = bindSignature(graph);
  return { graph, signatures: { [servingSignatureKey]: { inputs, outputs: serving?.outputs ?? [] }, ...further } };
}

/** A further signature with what it is compared at: the sizes of those inputs that it has. */
export interface BoundPiece {
  readonly key: string;
  readonly signature: Signature;
  readonly probeShapes: GraphTemplate["probeShapes"];
}

/** The signatures besides `serving_default`, in the order of their keys. */
export function listPieces(
  { signatures }: SavedModelContent,
  probeShapes: GraphTemplate["probeShapes"],
): readonly BoundPiece[] {
  const all = signatures[servingSignatureKey]?.inputs.map(({ name }) => name) ?? [];
  return Object.entries(signatures)
    .filter(([key]) => key !== servingSignatureKey)
    .map(([key, { inputs, outputs }]) => ({
      key,
      signature: { inputs: inputs.map(withoutTensor), outputs: outputs.map(withoutTensor) },
      probeShapes: probeShapes.map((shapes) => inputs.map(({ name, shape }) => shapes[all.indexOf(name)] ?? shape)),
    }));
}

function withoutTensor({ name, dtype, shape }: Signature["inputs"][number]): Signature["inputs"][number] {
  return { name, dtype, shape };
}
