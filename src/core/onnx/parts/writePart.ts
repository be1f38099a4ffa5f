import type { ByteSource } from '../byteSource';
import { relocatedTensorField } from '../dataFile';
import type { Container, ElementType, Model, Span, Tensor } from '../model';
import { allGraphs, nestedGraphs } from '../names';
import { encodeOutput, encodeValueInfo } from '../proto';
import { type Edit, field, type Piece, type Segment, splice, tensorField } from '../splice';
import { locateTensor, type OpenExternal } from '../tensorData';
import { tensorBytes } from './constantParts';
import type { ModelPart } from './planParts';

/** A range of a file that is the payload of a tensor, under the name that the part has for it as a data file. */
export interface PartData {
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** The file of a part, and the data files that it names. */
export interface PartFile {
  readonly segments: readonly Segment[];
  readonly data: readonly PartData[];
}

/** What a tensor that is passed on is; sizes that may change from run to run are null. */
export interface PassedTensor {
  readonly type: ElementType;
  readonly dims: readonly (number | null)[];
}

/** Field numbers of GraphProto. */
const INITIALIZER = 5;
const INPUT = 11;
const OUTPUT = 12;

/** Payloads of fewer bytes stand in the part itself: shapes and axes are looked into when a model is loaded. */
const SMALL = 1 << 16;

/**
 * A part as a model of its own: the model's file without the nodes and initializers of other parts, with what is passed on
 * as inputs and outputs. Weights are not copied: they become data files, to be read from where they are.
 *
 * @param typeOf the tensors it reads from other parts and gives to them
 * @param isFile whether a source is a file that can be read elsewhere; what is not stays in the part
 */
export function writePart(
  model: Model,
  part: ModelPart,
  typeOf: (name: string) => PassedTensor | undefined,
  openExternal: OpenExternal,
  isFile: (source: ByteSource) => boolean,
): PartFile {
  const { graph } = model;
  const data: PartData[] = [];
  const edits: Edit[] = [];
  const edit = (container: Container, { start, end }: Span, replacement: readonly Piece[] = []) =>
    edits.push({ container, span: { start, end }, replacement });

  const place = (tensor: Tensor, container: Container) => {
    const bytes = tensorBytes(tensor);
    const isOutside = tensor.data.kind === 'external';
    if (tensor.data.kind === 'typed' || (bytes < SMALL && !isOutside)) return;
    const found = locateTensor(model, tensor, openExternal);
    if (!found) return;
    const { source, offset, length } = found;
    if (bytes < SMALL) {
      const payload = { kind: 'copy', source, start: offset, end: offset + length } as const;
      edit(container, tensor.span, tensorField(INITIALIZER, tensor.name, tensor.type, tensor.dims, payload));
    } else if (isFile(source)) {
      const name = `part-data-${data.length}`;
      const range = { offset: 0, length };
      data.push({ name, file: source.name, offset, length });
      edit(container, tensor.span, relocatedTensorField(model, tensor, INITIALIZER, name, range));
    }
  };

  for (const node of graph.nodes) {
    if (!part.nodes.has(node)) edit(graph.container, node.span);
    else {
      for (const body of nestedGraphs(node)) {
        for (const { initializers, container } of allGraphs(body))
          for (const tensor of initializers) place(tensor, container);
      }
    }
  }
  const weights = new Set<string>();
  for (const tensor of graph.initializers) {
    if (!part.weights.has(tensor)) edit(graph.container, tensor.span);
    else {
      weights.add(tensor.name);
      place(tensor, graph.container);
    }
  }
  const declared = new Set<string>();
  for (const { name, span } of graph.inputs) {
    if (part.reads.has(name) || weights.has(name)) declared.add(name);
    else edit(graph.container, span);
  }
  const inner = new Set([...part.nodes].flatMap(({ outputs }) => outputs));
  for (const { name, span } of graph.valueInfo) if (!inner.has(name)) edit(graph.container, span);
  const gives = new Set(part.gives);
  for (const { name, span } of graph.outputs) {
    if (!gives.delete(name)) edit(graph.container, span);
  }
  const inputs = [...part.reads].filter((name) => !declared.has(name));
  const infos = [
    ...inputs.flatMap((name) => {
      const { type = 0, dims } = typeOf(name) ?? {};
      return field(INPUT, dims ? encodeValueInfo(name, type, dims) : encodeOutput(name, type));
    }),
    ...[...gives].flatMap((name) => field(OUTPUT, encodeOutput(name, typeOf(name)?.type ?? 0))),
  ];
  if (infos.length > 0)
    edit(graph.container, { start: graph.container.end, end: graph.container.end }, infos);
  return { segments: splice(model, edits), data };
}
