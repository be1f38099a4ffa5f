import type { Prediction, Ranks } from '../method';

/** Errors of a method with two ranks, in the unit of a spectrum's total: `errors[r₁ · (second + 1) + r₂]`. */
export interface RankTable {
  /** The largest ranks. */
  readonly first: number;
  readonly second: number;
  readonly errors: Float64Array;
}

/** The table of groups that all take the same ranks. */
export function sumTables(tables: readonly RankTable[]): RankTable {
  const { first, second } = tables[0]!;
  const errors = new Float64Array((first + 1) * (second + 1));
  for (const table of tables)
    for (let i = 0; i < errors.length; i++) errors[i] = errors[i]! + table.errors[i]!;
  return { first, second, errors };
}

/** What a candidate with two ranks predicts from a table, in the place of its own prediction from spectra. */
export function byTable({
  first,
  second,
  errors,
}: RankTable): Pick<Prediction, 'error' | 'certainty' | 'within'> {
  const at = (one: number, other: number) =>
    errors[Math.min(one, first) * (second + 1) + Math.min(other, second)]!;
  return {
    error: (_, [one = 0, other = 0]) => at(one, other),
    certainty: () => 'exact',
    within(_, budget, price) {
      let best: Ranks | undefined;
      let least = Infinity;
      for (let one = 1; one <= first; one++) {
        if (at(one, second) > budget) continue;
        let [low, high] = [1, second];
        while (low < high) {
          const middle = (low + high) >> 1;
          if (at(one, middle) <= budget) high = middle;
          else low = middle + 1;
        }
        const cost = price([one, low]);
        if (cost < least) [best, least] = [[one, low], cost];
      }
      return best;
    },
  };
}
