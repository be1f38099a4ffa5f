import { counted } from '../counted';
import type { ByteSource } from './byteSource';
import { expectBytes, Leaf, spanOf } from './leaf';
import type {
  Attribute,
  Container,
  DeclaredType,
  FieldSpan,
  Graph,
  Model,
  ModelFunction,
  Node,
  SparseTensor,
  Tensor,
  ValueInfo,
} from './model';
import { ModelError } from './modelError';
import * as proto from './proto';
import { readSparseTensor, readTensor } from './readTensor';
import { type WireField, WireReader } from './wire';

/** Messages may nest this deep (If in Loop in If …), no deeper. */
const MAX_DEPTH = 100;

/**
 * Scans an ONNX file (onnx.proto3, ModelProto) without loading it: walks the wire format through a small
 * window, decodes leaves with onnx-proto, and keeps payloads as byte ranges. The cost follows the number of
 * nodes, not the number of bytes. Throws {@link ModelError} for anything that is not a well-formed model.
 */
export function readModel(source: ByteSource): Model {
  if (source.size === 0) throw new ModelError('empty', `${source.name} is empty: it holds no ONNX model.`);
  if (isLfsPointer(source)) {
    throw new ModelError(
      'not-onnx',
      `${source.name} is a Git LFS pointer, not the model itself. "git lfs pull" fetches the model.`,
    );
  }
  const scan = new Scan(source);
  try {
    return scan.model();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new ModelError('malformed', `${source.name} is not a readable ONNX model: ${error.message}.`);
    }
    throw error;
  }
}

/** What stands in a checkout where a large file was not fetched. */
function isLfsPointer(source: ByteSource): boolean {
  const start = 'version https://git-lfs.github.com/spec/'; // no text
  return (
    source.size >= start.length && new TextDecoder('latin1').decode(source.read(0, start.length)) === start
  );
}

/** One pass over one file. */
class Scan {
  private readonly reader: WireReader;

  constructor(private readonly source: ByteSource) {
    this.reader = new WireReader(source);
  }

  model(): Model {
    const leaf = new Leaf(this.reader);
    const functions: ModelFunction[] = [];
    let graphField: Container | undefined;
    let hasTraining = false;
    this.reader.walk(0, this.source.size, (field) => {
      switch (field.number) {
        case 7:
          expectBytes(this.reader, field, 'graph');
          if (graphField) throw this.reader.error('malformed', field.start, 'a second graph begins');
          graphField = { ...spanOf(field), parent: undefined };
          break;
        case 20:
          hasTraining = true;
          break;
        case 25:
          expectBytes(this.reader, field, 'function');
          functions.push(this.modelFunction(spanOf(field), 1));
          break;
        case 1: // ir_version
        case 2: // producer_name
        case 3: // producer_version
        case 8: // opset_import
          leaf.add(field);
          break;
      }
    });
    const found = graphField;
    if (!found) {
      throw new ModelError('not-onnx', `${this.source.name} is not an ONNX model: it has no graph.`);
    }
    const fields = leaf.decode(0, proto.decodeModelFields);
    if (fields.opsets.size === 0) {
      throw new ModelError(
        'not-onnx',
        `${this.source.name} is not an ONNX model: it does not say which operator set it uses.`,
      );
    }
    const graph = withoutZeros(this.graph(found, 1));
    return { source: this.source, ...fields, graph, functions, hasTraining };
  }

  private graph(container: Container, depth: number): Graph {
    this.checkDepth(depth, container.start);
    const leaf = new Leaf(this.reader);
    const nodes: Node[] = [];
    const initializers: Tensor[] = [];
    const sparseTensors: SparseTensor[] = [];
    const inputs: ValueInfo[] = [];
    const outputs: ValueInfo[] = [];
    const valueInfo: ValueInfo[] = [];
    this.reader.walk(container.payload, container.end, (field) => {
      switch (field.number) {
        case 1:
          expectBytes(this.reader, field, 'node');
          nodes.push(this.node(spanOf(field), container, depth + 1));
          break;
        case 5:
          expectBytes(this.reader, field, 'initializer');
          initializers.push(readTensor(this.reader, spanOf(field)));
          break;
        case 15:
          expectBytes(this.reader, field, 'sparse_initializer');
          sparseTensors.push(readSparseTensor(this.reader, spanOf(field)));
          break;
        case 11:
          inputs.push(this.valueInfo(field));
          break;
        case 12:
          outputs.push(this.valueInfo(field));
          break;
        case 13:
          valueInfo.push(this.valueInfo(field));
          break;
        case 2: // name
        case 14: // quantization_annotation
          leaf.add(field);
          break;
      }
    });
    const fields = leaf.decode(container.start, proto.decodeGraphFields);
    const sparseInitializers = sparseTensors.map((t) => t.name);
    return {
      ...fields,
      nodes,
      initializers,
      sparseInitializers,
      sparseTensors,
      inputs,
      outputs,
      valueInfo,
      container,
    };
  }

  private node(span: FieldSpan, parent: Container | undefined, depth: number): Node {
    this.checkDepth(depth, span.start);
    const leaf = new Leaf(this.reader);
    const attributes = new Map<string, Attribute>();
    const container: Container = { ...span, parent };
    this.reader.walk(span.payload, span.end, (field) => {
      switch (field.number) {
        case 5: {
          expectBytes(this.reader, field, 'attribute');
          const [name, attribute] = this.attribute({ ...spanOf(field), parent: container }, depth + 1);
          attributes.set(name, attribute);
          break;
        }
        case 1: // input
        case 2: // output
        case 3: // name
        case 4: // op_type
        case 7: // domain
          leaf.add(field);
          break;
      }
    });
    return { ...leaf.decode(span.start, proto.decodeNode), attributes, span };
  }

  private attribute(container: Container, depth: number): [string, Attribute] {
    this.checkDepth(depth, container.start);
    const leaf = new Leaf(this.reader);
    const tensors: Tensor[] = [];
    const graphs: Graph[] = [];
    let sparse: SparseTensor | undefined;
    let declared: DeclaredType | undefined;
    this.reader.walk(container.payload, container.end, (field) => {
      switch (field.number) {
        case 5: // t
        case 10: // tensors
          expectBytes(this.reader, field, 'tensor');
          tensors.push(readTensor(this.reader, spanOf(field)));
          break;
        case 6: // g
        case 11: // graphs
          expectBytes(this.reader, field, 'graph');
          graphs.push(this.graph({ ...spanOf(field), parent: container }, depth + 1));
          break;
        case 22: // sparse_tensor
          expectBytes(this.reader, field, 'sparse tensor');
          sparse = readSparseTensor(this.reader, spanOf(field));
          break;
        case 14: // tp
          expectBytes(this.reader, field, 'type');
          declared = this.payload(field).decode(field.start, proto.decodeType);
          break;
        case 13: // doc_string
        case 15: // type_protos
        case 23: // sparse_tensors
          break;
        default:
          leaf.add(field);
      }
    });
    const fields = leaf.decode(container.start, proto.decodeAttribute);
    if (fields.reference) return [fields.name, { kind: 'reference', value: fields.reference }];
    const { AttributeType } = proto;
    const tensor = tensors[0];
    if (tensor && (fields.type === AttributeType.TENSOR || fields.type === AttributeType.UNDEFINED)) {
      return [fields.name, { kind: 'tensor', value: tensor }];
    }
    const graph = graphs[0];
    if (graph && (fields.type === AttributeType.GRAPH || fields.type === AttributeType.UNDEFINED)) {
      return [fields.name, { kind: 'graph', value: graph }];
    }
    if (sparse && fields.type === AttributeType.SPARSE_TENSOR) {
      return [fields.name, { kind: 'sparse', value: sparse }];
    }
    if (declared && fields.type === AttributeType.TYPE_PROTO) {
      return [fields.name, { kind: 'type', value: declared }];
    }
    if (fields.type === AttributeType.GRAPHS) return [fields.name, { kind: 'graphs', value: graphs }];
    return [fields.name, fields.scalar];
  }

  private valueInfo(field: WireField): ValueInfo {
    expectBytes(this.reader, field, 'value_info');
    const span = spanOf(field);
    return { ...this.payload(field).decode(span.start, proto.decodeValueInfo), span };
  }

  /** All that stands inside a field. */
  private payload(field: WireField): Leaf {
    const leaf = new Leaf(this.reader);
    leaf.addRange(field.payload, field.end);
    return leaf;
  }

  private modelFunction(span: FieldSpan, depth: number): ModelFunction {
    const leaf = new Leaf(this.reader);
    const nodes: Node[] = [];
    this.reader.walk(span.payload, span.end, (field) => {
      switch (field.number) {
        case 7:
          expectBytes(this.reader, field, 'node');
          nodes.push(this.node(spanOf(field), undefined, depth + 1));
          break;
        case 1: // name
        case 4: // input
        case 5: // output
        case 9: // opset_import
        case 10: // domain
          leaf.add(field);
          break;
      }
    });
    return { ...leaf.decode(span.start, proto.decodeFunctionFields), nodes };
  }

  private checkDepth(depth: number, offset: number): void {
    if (depth > MAX_DEPTH)
      throw this.reader.error('too-deep', offset, `messages nest deeper than ${counted(MAX_DEPTH, 'level')}`);
  }
}

/**
 * What a declared size of 0 means. To ONNX and to ONNX Runtime it is an empty tensor; some exporters write it for
 * "unknown". Nobody feeds batches of nothing: where the first axis of an input is 0, the file has that habit.
 */
function withoutZeros(graph: Graph): Graph {
  const stored = new Set(graph.initializers.map((t) => t.name));
  if (!graph.inputs.some((input) => input.shape?.[0] === 0 && !stored.has(input.name))) return graph;
  const cleared = (infos: readonly ValueInfo[]) =>
    infos.map((info) => ({ ...info, shape: info.shape?.map((d) => (d === 0 ? null : d)) ?? null }));
  return {
    ...graph,
    inputs: cleared(graph.inputs),
    outputs: cleared(graph.outputs),
    valueInfo: cleared(graph.valueInfo),
  };
}
