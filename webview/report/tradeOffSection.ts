import type { TradeOff } from '../../src/core/compress/budget/tradeOff';
import { formatCount, formatMacs, formatNumber, formatPercent, formatShare } from '../../src/core/format';
import { plot } from '../charts/plot';
import { type PlanPoint, pointWithin, tradeOffChart, tradeOffFrame } from '../charts/tradeOffChart';
import { element } from '../element';
import { fill, fillCount } from '../fill';
import type { Subject } from '../messages';
import { setDisabled } from '../setDisabled';
import { dataTable } from '../table/dataTable';
import type { PageContext } from './pageContext';
import { slider } from './slider';
import { MEASURE_TEXTS, tradeOffSummary } from './summaries';
import { tableToggle } from './tableToggle';

/** The whole model: what it can cost, and what it then loses. */
export interface TradeOffSection {
  readonly element: HTMLElement;
  show(subject: Subject): void;
}

const UNITS: readonly TradeOff['unit'][] = ['parameters', 'macs'];

/** The trade-off curve with the plan as a point, and a handle that plans anew when it is let go of. */
export function tradeOffSection(context: PageContext): TradeOffSection {
  const { texts, ask, kept, keep } = context;
  let subject: Subject | undefined;
  let unit: TradeOff['unit'] = kept().unit ?? 'parameters';
  let found: TradeOff | undefined;
  let failure: string | undefined;
  let isAsking = false;
  /** What `found` is of. */
  let asked = '';
  /** The share in question, in per cent; undefined: that of the plan. */
  let draft: number | undefined;
  /** What was let go of and is being planned. */
  let isPlanning = false;

  const choice = element(
    'select',
    { class: 'choice', 'aria-label': texts.tradeOffBy },
    ...UNITS.map((each) => element('option', { value: each }, texts[MEASURE_TEXTS[each]])),
  ) as HTMLSelectElement;
  choice.value = unit;
  choice.addEventListener('change', () => {
    unit = choice.value as TradeOff['unit'];
    keep({ unit });
    draft = undefined;
    draw();
    if (found) void load();
  });
  const prompt = element('p', { class: 'note' }, texts.tradeOffAsk);
  const measure = element(
    'vscode-button',
    { appearance: 'secondary', onclick: () => void load() },
    texts.tradeOffMeasure,
  );
  const status = element('p', { class: 'note', role: 'status' });
  const box = plot(() => draw());
  const preview = element('p', { class: 'preview' });
  const hint = element('p', { class: 'hidden', id: 'trade-off-hint' }, texts.tradeOffHint);
  const calibrated = element('p', { class: 'note' }, texts.tradeOffCalibrated);
  const replan = element('vscode-button', { appearance: 'primary', onclick: () => commit() }, texts.replan);
  const reset = element(
    'vscode-button',
    {
      appearance: 'secondary',
      onclick: () => {
        draft = undefined;
        draw();
      },
    },
    texts.reset,
  );
  const summary = element('p', { class: 'summary' });
  const table = tableToggle(context, 'tradeOff');
  const handle = slider(box.element, 'trade-off-hint', {
    onInput(value) {
      draft = value;
      draw();
    },
    // Let go of, it is planned; from the keyboard Enter does that, for each step would be a plan.
    onCommit: () => commit(),
    onCancel() {
      draft = undefined;
      draw();
    },
  });
  box.element.append(handle.element);
  const content = element(
    'div',
    {},
    element('figure', {}, element('figcaption', { class: 'how' }), box.element),
    hint,
    preview,
    calibrated,
    element('div', { class: 'buttons' }, replan, reset),
    summary,
    table.element,
  );
  const section = element(
    'section',
    { class: 'trade-off', 'aria-label': texts.tradeOff },
    element('div', { class: 'heading' }, element('h2', {}, texts.tradeOff), choice),
    prompt,
    measure,
    status,
    content,
  );

  const keyOf = () => `${subject?.overview.file}|${unit}`;

  async function load(): Promise<void> {
    if (!subject) return;
    const key = keyOf();
    isAsking = true;
    failure = undefined;
    draw();
    const answer = await ask({ kind: 'tradeOff', unit });
    if (key !== keyOf()) return;
    isAsking = false;
    asked = key;
    found = 'value' in answer ? answer.value : undefined;
    failure = 'message' in answer ? answer.message : undefined;
    draw();
  }

  function planPoint(): PlanPoint | null {
    if (!subject || !found) return null;
    const { overview } = subject;
    const left = overview.after?.[unit] ?? null;
    if (overview.basis !== 'predicted' || left === null || overview.weightError === null) return null;
    return { share: left / found.before, error: overview.weightError };
  }

  function commit(): void {
    if (draft === undefined || !found || isPlanning || isFixed()) return;
    void plan(draft);
  }

  async function plan(percent: number): Promise<void> {
    isPlanning = true;
    failure = undefined;
    draw();
    const answer = await ask({ kind: 'replan', unit, share: percent / 100 });
    isPlanning = false;
    if ('message' in answer) failure = answer.message;
    // It may have been moved on meanwhile.
    else if (draft === percent) draft = undefined;
    draw();
  }

  /** Planning anew would forget the data, or there is nothing to write it to. */
  const isFixed = () => subject?.plan === 'calibrated' || subject?.plan === 'broken' || !subject?.canCompress;

  function draw(): void {
    const isThere = found !== undefined && asked === keyOf();
    content.hidden = !isThere;
    prompt.hidden = isThere || isAsking || failure !== undefined;
    measure.hidden = isThere || isAsking;
    status.textContent = failure ?? (isAsking && !isThere ? texts.computing : '');
    status.hidden = status.textContent === '';
    if (!isThere) return;
    const of = found!;
    const current = planPoint();
    const width = box.width();
    const least = Math.min(99, Math.ceil((100 * of.points[0]!.cost) / of.before));
    const value = draft ?? Math.min(99, Math.max(least, Math.round(100 * (current?.share ?? 1))));
    const share = value / 100;
    box.draw(tradeOffChart(of, current, draft === undefined ? null : share, width));
    const { x, y } = tradeOffFrame(of, current, width);
    const point = draft === undefined && current ? undefined : pointWithin(of, share);
    const noun = texts[MEASURE_TEXTS[unit]];
    const error = point?.weightError ?? current?.error ?? 0;
    const factored = point?.factored ?? subject!.overview.layers.filter(({ ranks }) => ranks !== null).length;
    const text = fill(
      texts.tradeOffValue,
      formatPercent(share),
      noun,
      formatPercent(error),
      fillCount(texts.factoredCount, factored),
    );
    handle.update({
      label: fill(texts.tradeOffSlider, noun),
      min: least,
      max: 99,
      value,
      step: 1,
      text,
      at: (percent) => x.at(percent / 100),
      of: (place) => 100 * x.of(place),
    });
    handle.element.style.setProperty('--grip', `${y.at(error)}px`);
    content.querySelector('figcaption')!.textContent = `${texts.weightError} · ${noun}`;
    preview.textContent = isPlanning ? texts.computing : text;
    calibrated.hidden = subject!.plan !== 'calibrated';
    setDisabled(replan, draft === undefined || isFixed() || isPlanning);
    setDisabled(reset, draft === undefined || isPlanning);
    summary.textContent = tradeOffSummary(of, current, texts);
    table.show(() => pointsTable(of));
  }

  function pointsTable({ points, before }: TradeOff): HTMLElement {
    return dataTable(
      texts.tradeOff,
      [
        { title: texts.share },
        { title: texts.weightError, isNumber: true },
        { title: texts.parameters, isNumber: true },
        { title: texts.macs, isNumber: true },
        { title: texts.factoredLayers, isNumber: true },
      ],
      points.map(({ cost, weightError, parameters, macs, factored }) => [
        formatShare(cost / before),
        formatPercent(weightError),
        formatCount(parameters),
        macs === null ? texts.unknown : formatMacs(macs),
        formatNumber(factored),
      ]),
    );
  }

  return {
    element: section,
    show(next) {
      const isOther = next.overview.file !== subject?.overview.file;
      subject = next;
      if (isOther) {
        found = undefined;
        failure = undefined;
        isAsking = false;
      }
      // A share to plan for stays in question whatever the plan becomes meanwhile.
      if (isOther && !handle.isDragging()) draft = undefined;
      if (subject.isMeasured && asked !== keyOf() && !isAsking) void load();
      draw();
    },
  };
}
