import { removals } from '../exposeTensors';
import type { Model, Span } from '../model';
import { encodeOutput } from '../proto';
import { type Edit, field, type Segment, splice } from '../splice';
import type { NodeBuilder } from './nodeBuilder';

/** Field number of GraphProto. */
const OUTPUT = 12;

/**
 * The model with the nodes of a builder behind its own, that gives out these of their tensors and nothing else: what they
 * don't depend on is left away.
 */
export function spliceParts(
  model: Model,
  build: NodeBuilder,
  outputs: readonly { readonly name: string; readonly type: number }[],
): readonly Segment[] {
  const { graph } = model;
  const { nodes, initializers, inputs } = build.parts();
  const edits: Edit[] = [...removals(model, build.read, new Set())];
  const add = (items: readonly { readonly span: Span }[], replacement: readonly Uint8Array[]) => {
    if (replacement.length === 0) return;
    const at = items.reduce((end, { span }) => Math.max(end, span.end), 0) || graph.container.end;
    edits.push({ container: graph.container, span: { start: at, end: at }, replacement });
  };
  add(graph.nodes, nodes);
  add(graph.initializers, initializers);
  add(graph.inputs, inputs);
  add(
    graph.outputs,
    outputs.flatMap(({ name, type }) => field(OUTPUT, encodeOutput(name, type))),
  );
  return splice(model, edits);
}
