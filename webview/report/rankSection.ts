import type { OverviewLayer } from '../../src/core/compress/overview';
import type { ErrorCurve, SettingDetail } from '../../src/core/compress/planReview';
import {
  formatChange,
  formatCount,
  formatError,
  formatMacs,
  formatRanks,
  formatShape,
} from '../../src/core/format';
import { type Plot, plot } from '../charts/plot';
import { errorAt, type RankMark, spectrumChart, spectrumFrame } from '../charts/spectrumChart';
import { dataTable } from '../dataTable';
import { element } from '../element';
import { fill } from '../fill';
import type { LayerDetail, Setting, Subject } from '../messages';
import type { PageContext } from './pageContext';
import { type Slider, slider } from './slider';
import { spectrumSummary } from './summaries';
import { tableToggle } from './tableToggle';

/** The selected layer. */
export interface RankSection {
  readonly element: HTMLElement;
  show(subject: Subject, layer: string | null): void;
}

/** A curve with its handle. */
interface Panel {
  readonly plot: Plot;
  readonly slider: Slider;
  readonly caption: HTMLElement;
}

/** The spectrum of the selected layer, with a handle for each rank, what it gives, and the way into the plan. */
export function rankSection(context: PageContext): RankSection {
  const { texts, post, ask } = context;
  let subject: Subject | undefined;
  let layer: string | null = null;
  /** The answer for what is planned, and for what is tried. */
  let known: LayerDetail | undefined;
  let live: SettingDetail | undefined;
  /** Ranks that are tried; undefined: those of `known`. */
  let draft: readonly number[] | undefined;
  let failure: string | undefined;
  let panels: readonly Panel[] = [];
  let isAsking = false;
  /** Whether what is shown was asked for on another basis, and stays only until the answer for this one is there. */
  let isStale = false;
  /** Counts what makes an answer too late. */
  let version = 0;

  const title = element('h2', {}, texts.spectrum);
  const about = element('p', { class: 'how' });
  const status = element('p', { class: 'note', role: 'status' });
  const plots = element('div', { class: 'plots' });
  const legend = element('ul', { class: 'legend' });
  const summary = element('p', { class: 'summary' });
  const hint = element('p', { class: 'hidden', id: 'rank-hint' }, texts.rankHint);
  const figures = element('div', { class: 'figures' });
  const warning = element('p', { class: 'problem', role: 'status' });
  const button = (text: string, act: () => void, appearance = 'secondary') =>
    element('vscode-button', { appearance, onclick: act }, text);
  const apply = button(texts.apply, () => applyDraft(), 'primary');
  const reset = button(texts.reset, () => resetDraft());
  const compare = button(texts.compareMethods, () => layer && post({ kind: 'compareMethods', layer }));
  const reveal = button(texts.revealInPlan, () => layer && post({ kind: 'revealInPlan', layer }));
  const buttons = element('div', { class: 'buttons' }, apply, reset, compare, reveal);
  const others = tableToggle(context, 'ranks');
  const content = element('div', {}, plots, hint, legend, figures, warning, buttons, summary, others.element);
  const section = element(
    'section',
    { class: 'rank', 'aria-label': texts.layer },
    title,
    about,
    status,
    content,
  );

  const ranks = () => draft ?? known?.detail.setting.ranks ?? [];
  /** What is known of the ranks in question; that of others until the answer is here. */
  const detail = () => live ?? known?.detail;

  function show(next: Subject, wanted: string | null): void {
    const isOther = wanted !== layer || next.overview.file !== subject?.overview.file;
    const found = next.overview.layers.find(({ name }) => name === wanted);
    if (isOther || !found?.isFactorable) forget();
    // What goes away in between takes the focus along, and the page jumps.
    else if (next.overview.basis !== subject?.overview.basis) isStale = known !== undefined;
    subject = next;
    layer = wanted;
    void load();
    if (!isStale) draw();
  }

  function forget(): void {
    known = undefined;
    draft = undefined;
    live = undefined;
    failure = undefined;
    isStale = false;
  }

  /** Asks for what is planned now. What is being tried stays. */
  async function load(): Promise<void> {
    const mine = ++version;
    const found = subject?.overview.layers.find(({ name }) => name === layer);
    if (!found?.isFactorable || layer === null) return;
    const setting = draft && known ? { method: known.detail.setting.method, ranks: draft } : null;
    const answer = await ask({ kind: 'explain', layer, setting: null });
    if (mine !== version) return;
    const wasStale = isStale;
    if (wasStale) forget();
    if ('message' in answer) failure = answer.message;
    else {
      const isSame = !wasStale && setting && answer.value.detail.setting.method === setting.method;
      failure = undefined;
      known = answer.value;
      if (!isSame || String(draft) === String(known.chosen?.ranks)) {
        draft = undefined;
        live = undefined;
      }
    }
    draw();
  }

  /** Asks what the ranks in question give, one question at a time: the handle may be faster than the answers. */
  async function explainDraft(): Promise<void> {
    if (isAsking || !known || !draft || layer === null) return;
    isAsking = true;
    const mine = version;
    const asked = draft;
    const setting: Setting = { method: known.detail.setting.method, ranks: asked };
    const answer = await ask({ kind: 'explain', layer, setting });
    isAsking = false;
    if (mine !== version) return;
    if ('value' in answer) live = answer.value.detail;
    else failure = answer.message;
    draw();
    if (draft && String(draft) !== String(asked)) await explainDraft();
  }

  function input(index: number, value: number): void {
    draft = ranks().map((rank, i) => (i === index ? value : rank));
    failure = undefined;
    drawPanels();
    drawFigures();
    void explainDraft();
  }

  function resetDraft(): void {
    draft = undefined;
    live = undefined;
    failure = undefined;
    draw();
  }

  /** Its operator, the shape of its weight where that is known, and what there is to say of it. */
  const aboutLayer = ({ op, weightShape, note }: OverviewLayer) =>
    weightShape
      ? fill(texts.layerTitle, op, formatShape(weightShape), note ?? '').trim()
      : [op, ...(note ? [note] : [])].join(' · ');

  const isInPlan = () =>
    subject?.plan !== 'none' &&
    known?.chosen?.method === known?.detail.setting.method &&
    String(known?.chosen?.ranks) === String(ranks());

  function applyDraft(): void {
    if (!known || layer === null || isInPlan()) return;
    const setting = { method: known.detail.setting.method, ranks: ranks() };
    post({ kind: 'apply', layer, setting });
  }

  function draw(): void {
    const found = subject?.overview.layers.find(({ name }) => name === layer);
    title.textContent = found ? found.name : texts.layer;
    about.textContent = found ? aboutLayer(found) : '';
    const isThere = known !== undefined && found !== undefined;
    content.hidden = !isThere;
    status.textContent =
      failure ??
      (found === undefined
        ? texts.chooseLayer
        : !found.isFactorable
          ? texts.notFactorable
          : isThere
            ? ''
            : texts.computing);
    status.hidden = status.textContent === '';
    if (!isThere) return;
    drawPanels();
    drawFigures();
    drawLegend();
    const chosenText = subject!.overview.basis === 'measured' ? texts.markWritten : texts.markPlanned;
    summary.textContent = spectrumSummary(known!, texts, chosenText);
    others.show(() => otherRanks(known!.detail));
  }

  function otherRanks({ dense, setting, table }: SettingDetail): HTMLElement {
    return dataTable(
      texts.otherRanks,
      [
        { title: fill(texts.withSetting, setting.method) },
        { title: texts.weightError, isNumber: true },
        { title: texts.parameters, isNumber: true },
        { title: texts.change, isNumber: true },
        { title: texts.macs, isNumber: true },
      ],
      table.map(({ ranks: each, error, certainty, cost }) => [
        formatRanks(each),
        error === null ? texts.unknown : formatError(error, certainty),
        formatCount(cost.parameters),
        formatChange(dense.parameters, cost.parameters),
        cost.macs === null ? texts.unknown : formatMacs(cost.macs),
      ]),
    );
  }

  function drawPanels(): void {
    const { curves } = known!.detail;
    if (panels.length !== curves.length) {
      panels = curves.map((_, i) => panelOf(i));
      plots.replaceChildren(
        ...panels.map(({ plot: { element: box }, caption }) => element('figure', {}, caption, box)),
        ...(curves.length === 0 ? [element('p', { class: 'note' }, texts.noCurve)] : []),
      );
    }
    for (const [i, panel] of panels.entries()) drawPanel(panel, i, curves[i]!);
  }

  function panelOf(index: number): Panel {
    const redraw = () => {
      if (known?.detail.curves[index]) drawPanel(panel, index, known.detail.curves[index]);
    };
    const box = plot(redraw);
    const handle = slider(box.element, 'rank-hint', {
      onInput: (value) => input(index, value),
      onCommit: (_, by) => {
        if (by === 'key') applyDraft();
      },
      onCancel: resetDraft,
    });
    box.element.append(handle.element);
    const panel: Panel = { plot: box, slider: handle, caption: element('figcaption', { class: 'how' }) };
    return panel;
  }

  function drawPanel({ plot: box, slider: handle, caption }: Panel, index: number, curve: ErrorCurve): void {
    const rank = ranks()[index]!;
    const marks = marksOf(index, curve);
    box.draw(spectrumChart(curve, marks, box.width()));
    const { x } = spectrumFrame(curve, box.width());
    const name = panels.length > 1 ? curve.rankName : '';
    caption.textContent = [name, texts.weightErrorByRank].filter(Boolean).join(': ');
    handle.update({
      label: fill(texts.rankLabel, `${layer}${name && `, ${name}`}`),
      min: 1,
      max: curve.fullRank,
      value: rank,
      step: known!.steps[index] ?? 1,
      text: spoken(rank, curve),
      at: x.at,
      of: x.of,
    });
    // Where the curve is, so that the grip sits on it.
    const { y } = spectrumFrame(curve, box.width());
    handle.element.style.setProperty('--grip', `${y.at(errorAt(curve, rank))}px`);
  }

  function spoken(rank: number, curve: ErrorCurve): string {
    const now = detail();
    const isCurrent = now !== undefined && String(now.setting.ranks) === String(ranks());
    const error = isCurrent ? now.setting.error : errorAt(curve, rank);
    const percent = error === null ? texts.unknown : formatError(error, known!.detail.setting.certainty);
    if (!isCurrent) return fill(texts.rankValueWithoutMacs, rank, curve.fullRank, percent, '…');
    const { parameters, macs } = now.setting.cost;
    return macs === null
      ? fill(texts.rankValueWithoutMacs, rank, curve.fullRank, percent, formatCount(parameters))
      : fill(texts.rankValue, rank, curve.fullRank, percent, formatCount(parameters), formatMacs(macs));
  }

  function marksOf(index: number, curve: ErrorCurve): readonly RankMark[] {
    const {
      chosen,
      suggested,
      detail: { setting, breakEven },
    } = known!;
    const marks: RankMark[] = [];
    if (breakEven !== undefined) marks.push({ kind: 'breakEven', rank: breakEven });
    if (curve.evbmf !== null) marks.push({ kind: 'evbmf', rank: curve.evbmf });
    if (suggested?.method === setting.method)
      marks.push({ kind: 'suggested', rank: suggested.ranks[index]! });
    if (chosen?.method === setting.method) marks.push({ kind: 'planned', rank: chosen.ranks[index]! });
    return marks;
  }

  function drawLegend(): void {
    const isWritten = subject!.overview.basis === 'measured';
    const {
      chosen,
      suggested,
      detail: { setting, breakEven, curves },
    } = known!;
    const entry = (kind: RankMark['kind'], text: string) =>
      element('li', { class: kind }, element('span', { class: 'key', 'aria-hidden': 'true' }), text);
    const entries: HTMLElement[] = [];
    const named = (text: string, of: readonly number[]) => fill(text, formatRanks(of));
    if (chosen?.method === setting.method)
      entries.push(entry('planned', named(isWritten ? texts.markWritten : texts.markPlanned, chosen.ranks)));
    if (suggested?.method === setting.method)
      entries.push(entry('suggested', named(texts.markSuggested, suggested.ranks)));
    if (breakEven !== undefined) entries.push(entry('breakEven', named(texts.markBreakEven, [breakEven])));
    const evbmf = curves.map((curve) => curve.evbmf ?? 0);
    if (evbmf.length > 0 && evbmf.every((rank) => rank > 0)) {
      entries.push(entry('evbmf', named(texts.markEvbmf, evbmf)));
    }
    legend.replaceChildren(...entries);
    legend.hidden = entries.length === 0;
  }

  function drawFigures(): void {
    const now = detail()!;
    const isCurrent = String(now.setting.ranks) === String(ranks());
    const { dense, setting } = now;
    const waiting = '…';
    const change = (before: number | null, after: number | null) =>
      before === null || after === null || !isCurrent ? '' : formatChange(before, after);
    const count = (value: number | null) => (value === null ? texts.unknown : formatCount(value));
    const live = (text: string) => (isCurrent ? text : waiting);
    const { cost, error } = setting;
    const rows = [
      [
        texts.parameters,
        count(dense.parameters),
        live(count(cost.parameters)),
        change(dense.parameters, cost.parameters),
      ],
      [texts.macs, count(dense.macs), live(count(cost.macs)), change(dense.macs, cost.macs)],
      [
        texts.weightError,
        '',
        live(error === null ? texts.unknown : formatError(error, setting.certainty)),
        '',
      ],
    ];
    const whole = modelWith(cost);
    if (whole) {
      const { before } = subject!.overview;
      rows.push([
        `${texts.wholeModel}: ${texts.parameters}`,
        count(before.parameters),
        live(count(whole.parameters)),
        change(before.parameters, whole.parameters),
      ]);
      if (whole.macs !== null) {
        rows.push([
          `${texts.wholeModel}: ${texts.macs}`,
          count(before.macs),
          live(count(whole.macs)),
          change(before.macs, whole.macs),
        ]);
      }
    }
    const what = `${setting.method} ${formatRanks(ranks())}`;
    figures.replaceChildren(
      dataTable(
        fill(texts.withSetting, what),
        [
          { title: '' },
          { title: texts.before, isNumber: true },
          { title: fill(texts.withSetting, what), isNumber: true },
          { title: texts.change, isNumber: true },
        ],
        rows,
      ),
    );
    const { breakEven } = now;
    const isLarger = isCurrent && cost.parameters >= dense.parameters;
    warning.textContent =
      failure ?? (isLarger || (breakEven !== undefined && ranks()[0]! > breakEven) ? texts.larger : '');
    warning.hidden = warning.textContent === '';
    setDisabled(apply, isInPlan() || subject!.plan === 'broken' || !subject!.canCompress);
    setDisabled(reset, draft === undefined);
    reveal.hidden = subject!.plan === 'none';
    compare.hidden = !subject!.canCompress;
  }

  /** The whole model with the layer at the ranks in question, in the place of what is planned for it. */
  function modelWith(cost: SettingDetail['setting']['cost']) {
    const { overview } = subject!;
    const found = overview.layers.find(({ name }) => name === layer);
    if (!found || overview.basis === 'measured') return undefined;
    const all = overview.after ?? overview.before;
    const now = found.after ?? found.before;
    const macs =
      all.macs === null || now.macs === null || cost.macs === null ? null : all.macs - now.macs + cost.macs;
    return { parameters: all.parameters - now.parameters + cost.parameters, macs };
  }

  draw();
  return { element: section, show };
}

/** The toolkit's buttons take it as an attribute without a value. */
export function setDisabled(of: HTMLElement, isDisabled: boolean): void {
  of.toggleAttribute('disabled', isDisabled);
}
