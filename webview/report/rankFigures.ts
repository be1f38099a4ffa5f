import type { Overview } from '../../src/core/compress/overview';
import type { SettingDetail } from '../../src/core/compress/planReview';
import { formatChange, formatCount, formatError, formatMacs, formatRanks } from '../../src/core/format';
import { fill } from '../fill';
import { dataTable } from '../table/dataTable';
import { isCurrent, type RankState } from './rankState';
import type { ReportTexts } from './reportTexts';

/** What stands for figures that are being asked for. */
const WAITING = '…';

/** What the ranks in question give: the layer and, where nothing is written yet, the whole model with it. */
export function rankFigures(state: RankState, overview: Overview, texts: ReportTexts): HTMLElement {
  const { dense, setting } = state.now;
  const { cost, error, certainty } = setting;
  const isKnown = isCurrent(state);
  const count = (value: number | null) => (value === null ? texts.unknown : formatCount(value));
  const live = (text: string) => (isKnown ? text : WAITING);
  const line = (name: string, before: number | null, after: number | null) => [
    name,
    count(before),
    live(count(after)),
    before === null || after === null || !isKnown ? '' : formatChange(before, after),
  ];
  const rows = [
    line(texts.parameters, dense.parameters, cost.parameters),
    line(texts.macs, dense.macs, cost.macs),
    [texts.weightError, '', live(error === null ? texts.unknown : formatError(error, certainty)), ''],
  ];
  const whole = modelWith(overview, state.layer, cost);
  if (whole) {
    const { before } = overview;
    const named = (name: string) => `${texts.wholeModel}: ${name}`;
    rows.push(line(named(texts.parameters), before.parameters, whole.parameters));
    if (whole.macs !== null) rows.push(line(named(texts.macs), before.macs, whole.macs));
  }
  const title = fill(texts.withSetting, `${setting.method} ${formatRanks(state.ranks)}`);
  const columns = [
    { title: '' },
    { title: texts.before, isNumber: true },
    { title, isNumber: true },
    { title: texts.change, isNumber: true },
  ];
  return dataTable(title, columns, rows);
}

/** The whole model with the layer at the ranks in question, in the place of what is planned for it. */
function modelWith(overview: Overview, layer: string, cost: SettingDetail['setting']['cost']) {
  const found = overview.layers.find(({ name }) => name === layer);
  if (!found || overview.basis === 'measured') return undefined;
  const all = overview.after ?? overview.before;
  const now = found.after ?? found.before;
  const macs =
    all.macs === null || now.macs === null || cost.macs === null ? null : all.macs - now.macs + cost.macs;
  return { parameters: all.parameters - now.parameters + cost.parameters, macs };
}

/** What other ranks of the same method give. */
export function otherRanks({ dense, setting, table }: SettingDetail, texts: ReportTexts): HTMLElement {
  return dataTable(
    texts.otherRanks,
    [
      { title: fill(texts.withSetting, setting.method) },
      { title: texts.weightError, isNumber: true },
      { title: texts.parameters, isNumber: true },
      { title: texts.change, isNumber: true },
      { title: texts.macs, isNumber: true },
    ],
    table.map(({ ranks, error, certainty, cost }) => [
      formatRanks(ranks),
      error === null ? texts.unknown : formatError(error, certainty),
      formatCount(cost.parameters),
      formatChange(dense.parameters, cost.parameters),
      cost.macs === null ? texts.unknown : formatMacs(cost.macs),
    ]),
  );
}
