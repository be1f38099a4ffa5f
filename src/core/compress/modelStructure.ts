import { counted, plural } from '../counted';
import { formatNumber } from '../format';
import { elementBytes, elementCount, elementName } from '../onnx/elements';
import type { DeclaredType, Graph, Model } from '../onnx/model';
import { allGraphs } from '../onnx/names';
import { readMetadata } from '../onnx/readMetadata';
import type { Analysis, Problem } from './analysis';

/** What a model takes or gives, as its file declares it. */
export interface PublicValue {
  readonly name: string;
  /** "float", "sequence of int64". */
  readonly type: string;
  /** Symbols by name, null for unknown; null where not even the order is known, or there is none. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** Nodes of one operator. */
export interface OperatorCount {
  readonly op: string;
  /** '' is the standard domain. */
  readonly domain: string;
  readonly count: number;
}

/** A data file that tensors of the model stand in. */
export interface DataFileUse {
  /** As the model states it. */
  readonly location: string;
  readonly tensors: number;
  /** That they fill, by their dims and types. */
  readonly bytes: number;
  /** The first of them, for messages. */
  readonly first: string;
}

/** A data file as it is found beside the model. */
export interface DataFileState extends DataFileUse {
  /** Size of the file; null where it can't be read. */
  readonly size: number | null;
  /** Why it can't, as a sentence. */
  readonly trouble?: string;
}

/** What a model is made of, without its weights. */
export interface ModelStructure {
  readonly irVersion: number;
  readonly producer: string;
  readonly producerVersion: string;
  readonly domain: string;
  /** 0 where the file does not say. */
  readonly version: number;
  readonly description: string;
  readonly graph: string;
  /** Domain ('' is the standard one) → version. */
  readonly opsets: Readonly<Record<string, number>>;
  /** Nodes in all graphs. */
  readonly nodes: number;
  /** Bodies of control flow. */
  readonly bodies: number;
  readonly functions: number;
  readonly initializers: number;
  readonly hasTraining: boolean;
  /** The most frequent first. */
  readonly operators: readonly OperatorCount[];
  /** Without those that are initializers. */
  readonly inputs: readonly PublicValue[];
  readonly outputs: readonly PublicValue[];
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  /** Entries that were too long to be read. */
  readonly omittedMetadata: number;
  readonly dataFiles: readonly DataFileUse[];
  /** Of shapes that can't be inferred. */
  readonly problems: readonly Problem[];
}

/** A model as its read-only editor shows it. */
export interface ModelInspection {
  readonly analysis: Analysis;
  readonly structure: Omit<ModelStructure, 'dataFiles'> & { readonly dataFiles: readonly DataFileState[] };
}

/** What a model is made of. `tensors` are the types of its values as far as inference went. */
export function modelStructure(model: Model, tensors: NonNullable<Analysis['tensors']>): ModelStructure {
  const graphs = [...allGraphs(model.graph)];
  const { properties, omitted, producer, producerVersion, domain, version, description } = readMetadata(
    model.source,
  );
  const stored = new Set(model.graph.initializers.map(({ name }) => name));
  return {
    irVersion: model.irVersion,
    producer,
    producerVersion,
    domain,
    version,
    description,
    graph: model.graph.name,
    opsets: Object.fromEntries(model.opsets),
    nodes: graphs.reduce((sum, { nodes }) => sum + nodes.length, 0),
    bodies: graphs.length - 1,
    functions: model.functions.length,
    initializers: graphs.reduce((sum, { initializers }) => sum + initializers.length, 0),
    hasTraining: model.hasTraining,
    operators: operatorCounts(graphs),
    inputs: model.graph.inputs.filter(({ name }) => !stored.has(name)).map(publicValue),
    outputs: model.graph.outputs.map(publicValue),
    metadata: properties,
    omittedMetadata: omitted,
    dataFiles: dataFiles(graphs),
    problems: shapeProblems(model, tensors),
  };
}

function publicValue({ name, ...declared }: DeclaredType & { readonly name: string }): PublicValue {
  return { name, type: typeText(declared), shape: declared.kind === 'tensor' ? declared.shape : null };
}

function typeText({ kind, type, element }: DeclaredType): string {
  switch (kind) {
    case 'tensor':
      return type === 0 ? 'unknown' : elementName(type);
    case 'map':
      return `map of ${elementName(type)} to ${element ? typeText(element) : 'unknown'}`;
    case 'other':
      return 'unknown';
    default:
      return `${kind} of ${element ? typeText(element) : 'unknown'}`;
  }
}

function operatorCounts(graphs: readonly Graph[]): readonly OperatorCount[] {
  const counts = new Map<string, OperatorCount>();
  for (const { nodes } of graphs) {
    for (const { opType: op, domain } of nodes) {
      const key = `${domain}:${op}`;
      counts.set(key, { op, domain, count: (counts.get(key)?.count ?? 0) + 1 });
    }
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
}

function dataFiles(graphs: readonly Graph[]): readonly DataFileUse[] {
  const found = new Map<string, DataFileUse>();
  for (const { initializers } of graphs) {
    for (const { name, type, dims, data } of initializers) {
      if (data.kind !== 'external') continue;
      const { location } = data;
      const known = found.get(location) ?? { location, tensors: 0, bytes: 0, first: name };
      const bytes = known.bytes + elementBytes(type, elementCount(dims));
      found.set(location, { ...known, tensors: known.tensors + 1, bytes });
    }
  }
  return [...found.values()];
}

/** Where shapes get lost: nodes of the main graph that know all they take and still don't tell what they give. */
function shapeProblems(model: Model, tensors: NonNullable<Analysis['tensors']>): readonly Problem[] {
  const isKnown = (name: string) => {
    const shape = tensors[name]?.shape;
    return shape !== undefined && shape !== null && !shape.includes(null);
  };
  const stored = new Set(model.graph.initializers.map(({ name }) => name));
  const lost = new Map<string, { count: number; first: string }>();
  let unknown = 0;
  for (const { opType, domain, name, inputs, outputs } of model.graph.nodes) {
    const open = outputs.filter((output) => output !== '' && !isKnown(output));
    unknown += open.length;
    const takes = inputs.filter((input) => input !== '' && !stored.has(input));
    if (open.length === 0 || !takes.every(isKnown)) continue;
    const key = domain ? `${domain}:${opType}` : opType;
    const entry = lost.get(key) ?? { count: 0, first: name || open[0]! };
    lost.set(key, { ...entry, count: entry.count + 1 });
  }
  return [...lost].map(([op, { count, first }]) => ({
    code: 'unknown-shape',
    message: `The shape of what ${plural(count, `a node of ${op} gives`, `${formatNumber(count)} nodes of ${op} give`)} can’t be inferred (first "${first}"); ${counted(unknown, 'value')} of the graph ${plural(unknown, 'has', 'have')} none.`,
  }));
}
