import { Element } from '../../elements';
import { type Call, type Rule, type RuleTable, require, unknownDims } from '../call';
import { tensor } from '../fact';
import { broadcast } from '../fold';

const STRING = 8;

const concat: Rule = (call) => tensor(STRING, broadcast([call.shape(0), call.shape(1)]));

/** The pieces on a new last axis, and how many there are. */
const split: Rule = (call) => {
  const shape = call.shape(0);
  return [tensor(STRING, shape && [...shape, null]), tensor(Element.int64, shape)];
};

/** Words may disappear, so the word axis is unknown. */
const normalizer: Rule = (call) => {
  const shape = call.shape(0);
  require(!shape || shape.length === 1 || shape.length === 2);
  return tensor(STRING, shape && unknownDims(shape.length));
};

/** One column per n-gram: the largest of the indexes decides how many. */
const tfIdf: Rule = (call: Call) => {
  const shape = call.shape(0);
  const indexes = call.ints('ngram_indexes');
  require(!shape || shape.length === 1 || shape.length === 2);
  const columns = indexes?.length ? Math.max(...indexes) + 1 : null;
  return tensor(Element.float, shape && [...shape.slice(0, -1), columns]);
};

export const textRules: RuleTable = new Map<string, Rule>([
  ['StringConcat', concat],
  ['StringSplit', split],
  ['StringNormalizer', normalizer],
  ['RegexFullMatch', (call) => tensor(Element.bool, call.shape(0))],
  ['TfIdfVectorizer', tfIdf],
]);
