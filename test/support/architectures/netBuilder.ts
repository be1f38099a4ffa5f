import type { onnx } from 'onnx-proto';
import type { Model } from '../../../src/core/onnx/model';
import { type AttributeSpec, buildModel, type NodeSpec } from '../onnxModel';

/** The weights of a network have sizes here, but no elements: shapes and counts ask for no more. */
export interface Net {
  readonly model: Model;
  /** Learned elements; running statistics of normalisations are none. */
  readonly parameters: number;
}

/** How a window slides: sizes per axis, or one for both. */
export interface WindowSpec {
  readonly kernel: number | readonly [number, number];
  readonly stride?: number;
  readonly pad?: number | readonly [number, number];
}

export interface ConvSpec extends WindowSpec {
  readonly from: number;
  readonly to: number;
  readonly group?: number;
  readonly bias?: boolean;
}

/** Puts networks together node by node, named and shaped as torch.onnx.export does it. Values go by name. */
export interface NetBuilder {
  readonly input: string;
  /** Any node with one output. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeSpec>>): string;
  /** A learned tensor. */
  weight(...dims: number[]): string;
  /** A tensor of sizes, axes or indices. */
  ints(...values: number[]): string;
  conv(x: string, spec: ConvSpec): string;
  batchNorm(x: string, channels: number): string;
  /** Convolution without bias, normalisation, Relu. */
  convBnRelu(x: string, spec: ConvSpec): string;
  relu(x: string): string;
  pool(op: 'MaxPool' | 'AveragePool', x: string, spec: WindowSpec & { readonly ceil?: boolean }): string;
  concat(axis: number, ...xs: string[]): string;
  /** Fully connected, on [N, from]: Gemm. */
  gemm(x: string, from: number, to: number): string;
  /** Fully connected on the last axis of any order: MatMul and Add. */
  linear(x: string, from: number, to: number, bias?: boolean): string;
  layerNorm(x: string, size: number): string;
  /** Gelu as it was exported before it was an operator: five nodes. */
  gelu(x: string): string;
  reshape(x: string, ...sizes: number[]): string;
  transpose(x: string, ...perm: number[]): string;
  build(output: string): Net;
}

function pair(value: number | readonly [number, number]): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}

/** A network on pictures [batch, 3, size, size]. */
export function netBuilder(size: number, batch: number | string = 1): NetBuilder {
  const nodes: NodeSpec[] = [];
  const initializers: onnx.ITensorProto[] = [];
  const lists = new Map<string, string>();
  let parameters = 0;
  let count = 0;

  const stored = (...dims: number[]): string => {
    const name = `w${initializers.length}`;
    initializers.push({ name, dims, dataType: 1 });
    return name;
  };
  const windowOf = ({ kernel, stride = 1, pad = 0 }: WindowSpec) => ({
    kernel_shape: [...pair(kernel)],
    strides: [stride, stride],
    pads: [...pair(pad), ...pair(pad)],
  });

  const net: NetBuilder = {
    input: 'input',
    node(op, inputs, attributes) {
      const output = `v${count++}`;
      nodes.push({
        op,
        name: `/${op}_${count}`,
        inputs,
        outputs: [output],
        ...(attributes ? { attributes } : {}),
      });
      return output;
    },
    weight(...dims) {
      parameters += dims.reduce((p, d) => p * d, 1);
      return stored(...dims);
    },
    ints(...values) {
      const key = values.join(' ');
      const name = lists.get(key) ?? `i${lists.size}`;
      if (!lists.has(key)) initializers.push({ name, dims: [values.length], dataType: 7, int64Data: values });
      lists.set(key, name);
      return name;
    },
    conv(x, spec) {
      const { from, to, group = 1, bias = true } = spec;
      const weight = net.weight(to, from / group, ...pair(spec.kernel));
      const inputs = bias ? [x, weight, net.weight(to)] : [x, weight];
      return net.node('Conv', inputs, { ...windowOf(spec), group });
    },
    batchNorm(x, channels) {
      const learned = [net.weight(channels), net.weight(channels)];
      return net.node('BatchNormalization', [x, ...learned, stored(channels), stored(channels)]);
    },
    convBnRelu: (x, spec) => net.relu(net.batchNorm(net.conv(x, { ...spec, bias: false }), spec.to)),
    relu: (x) => net.node('Relu', [x]),
    pool: (op, x, spec) => net.node(op, [x], { ...windowOf(spec), ceil_mode: spec.ceil ? 1 : 0 }),
    concat: (axis, ...xs) => net.node('Concat', xs, { axis }),
    gemm: (x, from, to) => net.node('Gemm', [x, net.weight(to, from), net.weight(to)], { transB: 1 }),
    linear(x, from, to, bias = true) {
      const product = net.node('MatMul', [x, net.weight(from, to)]);
      return bias ? net.node('Add', [net.weight(to), product]) : product;
    },
    layerNorm: (x, size) =>
      net.node('LayerNormalization', [x, net.weight(size), net.weight(size)], { axis: -1 }),
    gelu(x) {
      const scaled = net.node('Div', [x, stored()]);
      const shifted = net.node('Add', [net.node('Erf', [scaled]), stored()]);
      return net.node('Mul', [net.node('Mul', [x, shifted]), stored()]);
    },
    reshape: (x, ...sizes) => net.node('Reshape', [x, net.ints(...sizes)]),
    transpose: (x, ...perm) => net.node('Transpose', [x], { perm }),
    build: (output) => ({
      model: buildModel({
        nodes,
        initializers,
        inputs: { input: [batch, 3, size, size] },
        outputs: { [output]: null },
      }),
      parameters,
    }),
  };
  return net;
}
