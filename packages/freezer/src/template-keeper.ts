import type { Graph, GraphTemplate } from "@ckpt/graph";

import type { FreezeTemplate } from "./freeze-template.js";

/** How models of one kind become graphs. */
export interface ModelFamily<Source, Loaded extends { readonly topologyDigest: string }> {
  /** Reads a model. Those of equal `topologyDigest` differ in their weights only. */
  readonly load: (source: Source) => Promise<Loaded>;
  readonly capture: (loaded: Loaded) => Promise<FreezeTemplate<Loaded>>;
  /** Puts the weights of a model into a template of the same topology. */
  readonly bind: (template: GraphTemplate, loaded: Loaded) => Graph;
}

/** A model that can be written, with its references until the next one is prepared. */
export interface PreparedModel extends Pick<FreezeTemplate<never>, "reference" | "createReference"> {
  readonly template: GraphTemplate;
  /** With the model's weights. */
  readonly graph: Graph;
  /** The same with the outputs of all signatures; absent where there are no further ones. */
  readonly shared: Graph | undefined;
}

/** Captures a topology once for all models in a row that share it. */
export interface TemplateKeeper<Source> {
  /** `onCaptured` is called where the topology is not that of the model before. */
  prepare(
    source: Source,
    onCaptured: (template: Pick<FreezeTemplate<never>, "graph" | "corrections">, topologyDigest: string) => void,
  ): Promise<PreparedModel>;
  /** Frees all tensors. */
  dispose(): void;
}

/** Makes a keeper of templates of models of one kind. */
export function createTemplateKeeper<Source, Loaded extends { readonly topologyDigest: string }>({
  load,
  capture,
  bind,
}: ModelFamily<Source, Loaded>): TemplateKeeper<Source> {
  let kept: { readonly topologyDigest: string; readonly template: FreezeTemplate<Loaded> } | undefined;
  const dispose = (): void => {
    kept?.template.dispose();
    kept = undefined;
  };
  return {
    prepare: async (source, onCaptured) => {
      const loaded = await load(source);
      const { topologyDigest } = loaded;
      if (kept?.topologyDigest === topologyDigest) await kept.template.assignWeights(loaded);
      else {
        dispose();
        kept = { topologyDigest, template: await capture(loaded) };
        onCaptured(kept.template, topologyDigest);
      }
      const { graph, shared, reference, createReference } = kept.template;
      return {
        template: graph,
        graph: bind(graph, loaded),
        shared: shared === undefined ? undefined : bind(shared, loaded),
        reference,
        createReference,
      };
    },
    dispose,
  };
}
