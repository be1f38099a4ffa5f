import { forAll, type Rule, type RuleTable } from '../call';
import { tensor } from '../fact';

const TRAINING = 'ai.onnx.preview.training';

/** Optimisers: (rate, step, then the tensors …) → the tensors, updated. */
const optimiser =
  (perTensor: number, results: number): Rule =>
  (call) => {
    const count = (call.arity - 2) / perTensor;
    const updated: ReturnType<typeof tensor>[] = [];
    for (let group = 0; group < perTensor; group++) {
      // Gradients come second and are not returned.
      if (group === 1) continue;
      for (let i = 0; i < count; i++) updated.push(call.input(2 + group * count + i));
    }
    return updated.slice(0, results * count).map((fact) => tensor(fact.type, fact.shape));
  };

export const learningRules: RuleTable = new Map<string, Rule>([
  ...forAll('Adagrad Momentum', optimiser(3, 2), TRAINING),
  ...forAll('Adam', optimiser(4, 3), TRAINING),
]);
