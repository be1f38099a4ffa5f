import { Element } from '../../elements';
import { type Call, forAll, type Rule, type RuleTable, require, sameAs } from '../call';
import { type Dim, productOf } from '../dim';
import { type Fact, type TensorFact, tensor } from '../fact';

const STRING = 8;
const TRAINING = 'ai.onnx.preview.training';
const LEARNING = 'ai.onnx.ml';

/** Optimisers: (rate, step, then the tensors …) → the tensors, updated. */
const optimiser =
  (groups: number): Rule =>
  (call) => {
    const count = (call.arity - 2) / groups;
    require(Number.isInteger(count));
    const updated: TensorFact[] = [];
    for (let group = 0; group < groups; group++) {
      // Gradients come second and are not returned.
      if (group === 1) continue;
      for (let i = 0; i < count; i++) updated.push(call.input(2 + group * count + i));
    }
    return updated.map((fact) => tensor(fact.type, fact.shape));
  };

/** The length of a list attribute; undefined where there is none. */
function listLength(call: Call, name: string): number | undefined {
  const attribute = call.attribute(name);
  switch (attribute?.kind) {
    case 'ints':
    case 'floats':
    case 'strings':
      return attribute.value.length;
    default:
      return undefined;
  }
}

/** Rows of the input: a one-dimensional one is a single row. */
function rowsOf(call: Call): Dim {
  const shape = call.shape(0);
  if (!shape) return null;
  require(shape.length > 0);
  return shape.length === 1 ? 1 : shape[0]!;
}

/** A class per row, and a score per row and class. */
const classifier: Rule = (call) => {
  const strings =
    listLength(call, 'classlabels_strings') ?? listLength(call, 'classlabels_strings_int64s') ?? 0;
  const numbers = listLength(call, 'classlabels_ints') ?? listLength(call, 'classlabels_int64s') ?? 0;
  const classes = strings || numbers || null;
  const rows = rowsOf(call);
  return [
    tensor(strings > 0 ? STRING : Element.int64, [rows]),
    tensor(Element.float, [rows, call.node.opType === 'SVMClassifier' ? null : classes]),
  ];
};

const regressor = (attribute: string): Rule => {
  return (call) => tensor(Element.float, [rowsOf(call), call.int(attribute, 1)]);
};

/** One value of a table per element: the attributes that are given tell its type. */
const labelEncoder: Rule = (call) => {
  const values = call.attribute('values_tensor');
  let type = values?.kind === 'tensor' ? values.value.type : 0;
  if (!type && listLength(call, 'values_int64s') !== undefined) type = Element.int64;
  if (!type && listLength(call, 'values_strings') !== undefined) type = STRING;
  if (!type && listLength(call, 'values_floats') !== undefined) type = Element.float;
  const keys = ['keys_tensor', 'keys_int64s', 'keys_strings', 'keys_floats', 'classes_strings'];
  require(keys.filter((name) => call.attribute(name) !== undefined).length === 1);
  // The first version mapped between numbers and names, whichever the input is not.
  if (!type && call.attribute('classes_strings')) type = call.type(0) === STRING ? Element.int64 : STRING;
  return tensor(type, call.shape(0));
};

const categoryMapper: Rule = (call) => {
  const numbers = listLength(call, 'cats_int64s');
  require(numbers !== undefined && numbers === listLength(call, 'cats_strings'));
  const type = call.type(0);
  require(type === STRING || type === Element.int64);
  return tensor(type === STRING ? Element.int64 : STRING, call.shape(0));
};

const treeEnsemble: Rule = (call) => {
  const table = (name: string) => {
    const attribute = call.attribute(name);
    return attribute?.kind === 'tensor' ? attribute.value : undefined;
  };
  const splits = table('nodes_splits');
  const weights = table('leaf_weights');
  require(splits !== undefined && weights !== undefined && splits.type === weights.type);
  require(splits.type === call.type(0) || call.type(0) === 0);
  for (const name of ['featureids', 'truenodeids', 'falsenodeids', 'trueleafs', 'falseleafs']) {
    require(listLength(call, `nodes_${name}`) === splits.dims[0]);
  }
  require(listLength(call, 'leaf_targetids') === weights.dims[0]);
  const shape = call.shape(0);
  require(!shape || shape.length === 2);
  return tensor(splits.type, [shape?.[0] ?? null, call.int('n_targets', 1)]);
};

const oneHotEncoder: Rule = (call) => {
  const shape = call.shape(0);
  const categories = listLength(call, 'cats_int64s') ?? listLength(call, 'cats_strings') ?? null;
  require(categories !== null);
  return tensor(Element.float, shape && [...shape, categories]);
};

/** Picks positions of the last axis, however they are arranged; a vector counts as one row. */
const arrayFeatureExtractor: Rule = (call) => {
  const shape = call.shape(0);
  const places = call.shape(1);
  if (!shape) return tensor(call.type(0), null);
  require(shape.length > 0);
  const count = places && productOf(places);
  return tensor(call.type(0), shape.length === 1 ? [1, count] : [...shape.slice(0, -1), count]);
};

/** One map from class to score per row. */
const zipMap: Rule = (call) => {
  const shape = call.shape(0);
  const key = listLength(call, 'classlabels_strings') ? STRING : Element.int64;
  const labels = listLength(call, 'classlabels_strings') ?? listLength(call, 'classlabels_int64s');
  require(labels !== undefined && (!shape || shape.length === 1 || shape.length === 2));
  const classes = shape?.at(-1);
  require(typeof classes !== 'number' || classes === labels);
  const scores: Fact = { kind: 'map', key, element: tensor(Element.float, []) };
  return { kind: 'sequence', element: scores, length: rowsOf(call) };
};

export const learningRules: RuleTable = new Map<string, Rule>([
  ...forAll('Adagrad Momentum', optimiser(3), TRAINING),
  ...forAll('Adam', optimiser(4), TRAINING),
  ...forAll('LinearClassifier TreeEnsembleClassifier SVMClassifier', classifier, LEARNING),
  ...forAll('LinearRegressor', regressor('targets'), LEARNING),
  ...forAll('TreeEnsembleRegressor', regressor('n_targets'), LEARNING),
  ...forAll('LabelEncoder', labelEncoder, LEARNING),
  ...forAll('CategoryMapper', categoryMapper, LEARNING),
  ...forAll('TreeEnsemble', treeEnsemble, LEARNING),
  ...forAll('OneHotEncoder', oneHotEncoder, LEARNING),
  ...forAll('ArrayFeatureExtractor', arrayFeatureExtractor, LEARNING),
  ...forAll('ZipMap', zipMap, LEARNING),
  ...forAll('Binarizer Imputer', sameAs(0), LEARNING),
  ...forAll('Scaler Normalizer', (call) => tensor(Element.float, call.shape(0)), LEARNING),
]);
