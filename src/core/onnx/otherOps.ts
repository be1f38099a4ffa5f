import type { GraphMacs } from './cost';
import type { Model, Node } from './model';
import { type Call, Unfit } from './shapes/call';
import { add, type Dim, max, mul, productOf, sumOf } from './shapes/dim';
import type { Fact } from './shapes/fact';
import type { ShapeTable } from './shapes/inferShapes';
import { type AttentionSizes, attentionSizes } from './shapes/rules/attention';
import { groupQuerySizes, multiHeadSizes, packedPast } from './shapes/rules/fusedAttention';
import { GATES, recurrentSizes } from './shapes/rules/recurrent';

/** Operations outside the headline, counted as {@link otherOps} says; what could not be counted is named. */
export type OtherOps = GraphMacs;

/**
 * The work that multiply-accumulates leave out, in a figure of its own, however many instructions one operation takes:
 *
 * - arithmetic, comparisons, activations, normalisations, softmax, (de)quantisation: one per element of the output;
 *   a sum, mean, minimum or maximum of n tensors: n − 1
 * - pooling: one per element of the output and of the window; global pooling, reductions, losses: one per element
 *   of the input
 * - interpolation: one per element of the output, none where the nearest element is taken
 * - bias, activation and skip connection of a convolution, product or fused operator: one each per element of the
 *   output; recurrent cells: one per gate; attention: one per score
 *
 * Moving, choosing and converting data (Reshape, Concat, Gather, TopK, Cast …) counts nothing.
 */
export function otherOps(model: Model, shapes: ShapeTable): OtherOps {
  return nodesOps(model.graph.nodes, shapes, '');
}

/** The other operations of one node with everything that runs inside it; null where they cannot be told. */
export function nodeOtherOps(node: Node, shapes: ShapeTable): Dim {
  const { total, unknown } = measure(node, shapes, '');
  return unknown.length > 0 ? null : total;
}

function nodesOps(nodes: readonly Node[], shapes: ShapeTable, prefix: string): OtherOps {
  const totals: Dim[] = [];
  const unknown: string[] = [];
  for (const node of nodes) {
    const one = measure(node, shapes, prefix);
    totals.push(one.total);
    for (const name of one.unknown) unknown.push(name);
  }
  return { total: sumOf(totals), unknown };
}

function measure(node: Node, shapes: ShapeTable, prefix: string): OtherOps {
  const name = prefix + (node.name || node.outputs.find((o) => o !== '') || node.opType);
  const bodies = shapes.bodies(node);
  if (bodies.length === 0) {
    const own = ownOps(node, shapes);
    return own === null ? { total: 0, unknown: [name] } : { total: own, unknown: [] };
  }
  let total: Dim = 0;
  const unknown: string[] = [];
  for (const { nodes, shapes: inner, trips } of bodies) {
    const body = nodesOps(nodes, inner, `${name}/`);
    const runs = mul(body.total, trips);
    for (const one of body.unknown) unknown.push(one);
    if (runs === null) unknown.push(name);
    else total = node.opType === 'If' ? max(total, runs) : add(total, runs);
  }
  return { total, unknown };
}

function ownOps(node: Node, shapes: ShapeTable): Dim {
  const key = node.domain ? `${node.domain}::${node.opType}` : node.opType;
  const formula = OTHER_OPS.get(key);
  if (!formula) return null;
  try {
    return formula(shapes.call(node), sizeOf(shapes.fact(node.outputs.find((o) => o !== '') ?? '')));
  } catch (error) {
    if (error instanceof Unfit) return null;
    throw error;
  }
}

function sizeOf(fact: Fact | undefined): Dim {
  return fact?.kind === 'tensor' && fact.shape ? productOf(fact.shape) : null;
}

/** Operations from a node and the number of elements of its first output. */
type Formula = (call: Call, output: Dim) => Dim;

const none: Formula = () => 0;
const perOutput: Formula = (_, output) => output;
const perInput: Formula = (call) => sizeOf(call.input(0));
const unknown: Formula = () => null;

/** As many per element of the output as one of these inputs and attributes is there. */
const perPresent =
  (inputs: readonly number[], attribute = 'activation'): Formula =>
  (call, output) => {
    const text = call.text(attribute, '').toUpperCase();
    const active = text === '' || text === 'NONE' ? 0 : 1;
    return mul(output, inputs.filter((i) => call.has(i)).length + active);
  };

const perOperand: Formula = (call, output) => mul(output, call.arity - 1);

const perWindow: Formula = (call, output) => {
  const kernel = call.ints('kernel_shape');
  return kernel ? mul(output, productOf(kernel)) : null;
};

/** Every element but the nearest is made of others. */
const interpolation: Formula = (call, output) => (call.text('mode', 'nearest') === 'nearest' ? 0 : output);

const recurrent: Formula = (call) => {
  const { steps, batch, directions, hidden } = recurrentSizes(call);
  return productOf([steps, batch, directions, hidden, GATES.get(call.node.opType)!]);
};

const scores =
  (sizesOf: (call: Call) => AttentionSizes | undefined): Formula =>
  (call) => {
    const sizes = sizesOf(call);
    return sizes ? productOf([sizes.batch, sizes.heads, sizes.queries, sizes.keys]) : null;
  };

/** com.microsoft Attention on X [B, S, D]: the bias of the projection, then the scores. */
const packedAttention: Formula = (call) => {
  const data = call.shape(0);
  if (data?.length !== 3) return null;
  const [batch, length] = data as [Dim, Dim];
  const past = packedPast(call);
  const columns = call.has(2) ? (call.shape(1)?.[1] ?? null) : 0;
  return add(
    productOf([batch, call.int('num_heads', 0), length, add(past, length)]),
    productOf([batch, length, columns]),
  );
};

const MICROSOFT = 'com.microsoft';
const LEARNING = 'ai.onnx.ml';

function formulas(names: string, formula: Formula, domain = ''): [string, Formula][] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [domain ? `${domain}::${name}` : name, formula]);
}

/** Every operator that has a shape rule is here: what is missing would count as nothing. */
export const OTHER_OPS: ReadonlyMap<string, Formula> = new Map([
  ...formulas(
    `Relu LeakyRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Swish Softplus Softsign Tanh Sin Cos
    Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Erf Gelu Mish Shrink Affine ImageScaler Scale ParametricSoftplus
    ScaledTanh PRelu SwiGLU Floor Ceil Neg Abs Sqrt Exp Log Sign Reciprocal Round Clip Add Sub Mul Div Mod Pow BitShift
    BitwiseAnd BitwiseOr BitwiseXor BitwiseNot Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf
    CumSum CumProd RotaryEmbedding`,
    perOutput,
  ),
  ...formulas(
    `LRN LpNormalization MeanVarianceNormalization InstanceNormalization GroupNormalization RMSNormalization
    BatchNormalization LayerNormalization SimplifiedLayerNormalization Softmax LogSoftmax Hardmax
    QuantizeLinear DequantizeLinear DynamicQuantizeLinear`,
    perOutput,
  ),
  ...formulas('Sum Mean Min Max', perOperand),
  ...formulas('MaxPool AveragePool LpPool', perWindow),
  ...formulas('GlobalAveragePool GlobalMaxPool GlobalLpPool NegativeLogLikelihoodLoss', perInput),
  ...formulas('SoftmaxCrossEntropyLoss', perInput),
  ...formulas(
    `ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare ArgMax ArgMin`,
    perInput,
  ),
  ...formulas('Resize Upsample', interpolation),
  // Their data type is one of numbers between pixels, too.
  ...formulas('GridSample RoiAlign', perOutput),
  ...formulas('Conv ConvTranspose', perPresent([2])),
  ...formulas('DeformConv', perPresent([3])),
  ...formulas('QLinearConv', perPresent([8])),
  ...formulas('Gemm', perPresent([2])),
  ...formulas('MatMul MatMulInteger QLinearMatMul ConvInteger Einsum', none),
  ...formulas('LSTM GRU RNN', recurrent),
  ...formulas('Attention', scores(attentionSizes)),
  ...formulas('CausalConvWithState', perPresent([2])),
  ...formulas('Col2Im', perInput),
  // How large the regions are is in the data.
  ...formulas('MaxRoiPool LinearAttention Det DFT STFT', unknown),
  ...formulas(
    `Trilu ReverseSequence ScatterND TensorScatter Where Cast CastLike BitCast Dropout MaxUnpool
    Reshape Transpose Squeeze Unsqueeze Flatten Expand Tile Shape Size DepthToSpace SpaceToDepth Identity CenterCropPad
    Concat Split Slice Gather GatherND GatherElements Pad OneHot TopK NonZero Compress Unique NonMaxSuppression Scatter
    ScatterElements AffineGrid Constant ConstantOfShape Range RandomNormal RandomUniform RandomNormalLike
    RandomUniformLike Bernoulli EyeLike Multinomial HammingWindow HannWindow BlackmanWindow MelWeightMatrix
    SequenceConstruct SequenceEmpty SequenceInsert SequenceErase SequenceAt SequenceLength SplitToSequence
    ConcatFromSequence Optional OptionalHasElement OptionalGetElement StringConcat StringSplit StringNormalizer
    RegexFullMatch TfIdfVectorizer`,
    none,
  ),
  // Reached only where the bodies could not be looked into.
  ...formulas('If Loop Scan SequenceMap', unknown),
  ...formulas('FlexAttention', unknown, 'ai.onnx.preview'),
  ...formulas('Adagrad Momentum Adam', unknown, 'ai.onnx.preview.training'),

  ...formulas(
    `Gelu FastGelu QuickGelu BiasGelu BiasSplitGelu LayerNormalization SimplifiedLayerNormalization GroupNorm
    QuantizeLinear DequantizeLinear QLinearAdd QLinearMul QLinearSigmoid QLinearLeakyRelu QLinearSoftmax RotaryEmbedding`,
    perOutput,
    MICROSOFT,
  ),
  // The skip connection, then the normalisation.
  ...formulas(
    'SkipLayerNormalization SkipSimplifiedLayerNormalization SkipGroupNorm EmbedLayerNormalization',
    (_, output) => mul(output, 2),
    MICROSOFT,
  ),
  ...formulas('NhwcMaxPool QLinearAveragePool MaxpoolWithMask', perWindow, MICROSOFT),
  ...formulas('QLinearGlobalAveragePool', perInput, MICROSOFT),
  ...formulas('FusedConv NhwcConv NhwcFusedConv', perPresent([2, 3]), MICROSOFT),
  ...formulas('CausalConvWithState', perPresent([2]), MICROSOFT),
  ...formulas('QLinearConv', perPresent([8]), MICROSOFT),
  ...formulas('ConvTransposeWithDynamicPads', perPresent([3]), MICROSOFT),
  ...formulas('FusedGemm FusedMatMulActivation', perPresent([2]), MICROSOFT),
  ...formulas('GemmFloat8', perPresent([2]), MICROSOFT),
  ...formulas('GemmFastGelu', (call, output) => mul(output, call.has(2) ? 2 : 1), MICROSOFT),
  ...formulas('QGemm', perPresent([6]), MICROSOFT),
  ...formulas('MatMulIntegerToFloat', perPresent([6]), MICROSOFT),
  ...formulas('DynamicQuantizeMatMul', perPresent([4]), MICROSOFT),
  ...formulas('MatMulNBits', perPresent([5]), MICROSOFT),
  ...formulas('FusedMatMul TransposeMatMul MatMulBnb4 MatMulFpQ4 MatMulInteger16', none, MICROSOFT),
  ...formulas('DynamicQuantizeLSTM', recurrent, MICROSOFT),
  ...formulas('Attention QAttention', packedAttention, MICROSOFT),
  ...formulas('MultiHeadAttention', scores(multiHeadSizes), MICROSOFT),
  ...formulas('GroupQueryAttention', scores(groupQuerySizes), MICROSOFT),
  ...formulas(
    `PackedAttention PackedMultiHeadAttention LinearAttention MoE QMoE MatMulNBitsMlp MatMulNBitsQkv
    Inverse`,
    unknown,
    MICROSOFT,
  ),
  ...formulas('BiasDropout', perOutput, MICROSOFT),
  ...formulas(
    `QLinearConcat NGramRepeatBlock TorchEmbedding Trilu GatherND Pad Range ExpandDims QLinearWhere RelativePositionBias
    RestorePadding`,
    none,
    MICROSOFT,
  ),
  ...formulas(
    `BiasAdd GatedRMSNorm QOrderedGelu QOrderedLayerNormalization QuantizeWithOrder GatherBlockQuantized GridSample
    MulInteger ComplexMul ComplexMulConj`,
    perOutput,
    MICROSOFT,
  ),
  // The bias, then softmax.
  ...formulas('BiasSoftmax', (_, output) => mul(output, 2), MICROSOFT),
  ...formulas('QLinearReduceMean ReduceSumInteger', perInput, MICROSOFT),
  ...formulas('LongformerAttention PagedAttention', unknown, MICROSOFT),
  ...formulas('Binarizer Scaler Normalizer', perOutput, LEARNING),
  ...formulas(
    'LabelEncoder CategoryMapper OneHotEncoder ArrayFeatureExtractor ZipMap Imputer',
    none,
    LEARNING,
  ),
  ...formulas(
    `LinearClassifier LinearRegressor SVMClassifier TreeEnsembleClassifier TreeEnsembleRegressor TreeEnsemble`,
    unknown,
    LEARNING,
  ),
]);
