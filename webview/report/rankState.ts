import type { SettingDetail } from '../../src/core/compress/planReview';
import type { LayerDetail } from '../messages';

/** What is known of the selected layer, and the ranks in question. */
export interface RankState {
  readonly layer: string;
  readonly known: LayerDetail;
  readonly ranks: readonly number[];
  /** The last answer, which may be of other ranks still. */
  readonly now: SettingDetail;
}

/** Whether the answer is that for the ranks in question. */
export function isCurrent({ now, ranks }: Pick<RankState, 'now' | 'ranks'>): boolean {
  return String(now.setting.ranks) === String(ranks);
}
