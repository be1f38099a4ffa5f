import type { RuleTable } from './call';
import { attentionRules } from './rules/attention';
import { contribRules } from './rules/contrib';
import { controlRules } from './rules/control';
import { convRules } from './rules/conv';
import { elementwiseRules } from './rules/elementwise';
import { fusedAttentionRules } from './rules/fusedAttention';
import { generatorRules } from './rules/generators';
import { indexingRules } from './rules/indexing';
import { joiningRules } from './rules/joining';
import { layoutRules } from './rules/layout';
import { learningRules } from './rules/learning';
import { matmulRules } from './rules/matmul';
import { normalisationRules } from './rules/normalisation';
import { quantisationRules } from './rules/quantisation';
import { recurrentRules } from './rules/recurrent';
import { reduceRules } from './rules/reduce';
import { resizeRules } from './rules/resize';
import { sequenceRules } from './rules/sequence';
import { signalRules } from './rules/signal';
import { textRules } from './rules/text';

/** Every rule there is. A family's file may leave an operator to a more special one that comes later. */
export const RULES: RuleTable = new Map(
  [
    elementwiseRules,
    matmulRules,
    convRules,
    reduceRules,
    layoutRules,
    joiningRules,
    indexingRules,
    resizeRules,
    normalisationRules,
    recurrentRules,
    quantisationRules,
    generatorRules,
    signalRules,
    attentionRules,
    fusedAttentionRules,
    sequenceRules,
    controlRules,
    textRules,
    learningRules,
    contribRules,
  ].flatMap((table) => [...table]),
);
