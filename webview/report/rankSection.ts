import type { OverviewLayer } from '../../src/core/compress/overview';
import type { SettingDetail } from '../../src/core/compress/planReview';
import { formatShape } from '../../src/core/format';
import { element } from '../element';
import { fill } from '../fill';
import type { LayerDetail, Setting, Subject } from '../messages';
import { setDisabled } from '../setDisabled';
import type { PageContext } from './pageContext';
import { otherRanks, rankFigures } from './rankFigures';
import { rankLegend } from './rankLegend';
import { rankPanels } from './rankPanels';
import { isCurrent, type RankState } from './rankState';
import type { ReportTexts } from './reportTexts';
import { spectrumSummary } from './summaries';
import { tableToggle } from './tableToggle';

/** The selected layer. */
export interface RankSection {
  readonly element: HTMLElement;
  show(subject: Subject, layer: string | null): void;
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
  let isAsking = false;
  /** Whether what is shown was asked for on another basis, and stays only until the answer for this one is there. */
  let isStale = false;
  /** Counts what makes an answer too late. */
  let version = 0;

  const title = element('h2', {}, texts.spectrum);
  const about = element('p', { class: 'how' });
  const status = element('p', { class: 'note', role: 'status' });
  const panels = rankPanels(texts, 'rank-hint', {
    onInput: input,
    onCommit: () => applyDraft(),
    onCancel: () => resetDraft(),
  });
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
  const content = element(
    'div',
    {},
    panels.element,
    hint,
    legend,
    figures,
    warning,
    buttons,
    summary,
    others.element,
  );
  const section = element(
    'section',
    { class: 'rank', 'aria-label': texts.layer },
    title,
    about,
    status,
    content,
  );

  const ranks = () => draft ?? known?.detail.setting.ranks ?? [];
  /** What is to be shown of the ranks in question, once there is an answer. */
  const state = (): RankState | undefined =>
    known && layer !== null ? { layer, known, ranks: ranks(), now: live ?? known.detail } : undefined;

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
    drawDraft();
    void explainDraft();
  }

  function resetDraft(): void {
    draft = undefined;
    live = undefined;
    failure = undefined;
    draw();
  }

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
    about.textContent = found ? aboutLayer(found, texts) : '';
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
    drawDraft();
    const chosenText = subject!.overview.basis === 'measured' ? texts.markWritten : texts.markPlanned;
    const entries = rankLegend(known!, texts, chosenText);
    legend.replaceChildren(
      ...entries.map(({ kind, text }) =>
        element('li', { class: kind }, element('span', { class: 'key', 'aria-hidden': 'true' }), text),
      ),
    );
    legend.hidden = entries.length === 0;
    summary.textContent = spectrumSummary(known!, texts, entries);
    others.show(() => otherRanks(known!.detail, texts));
  }

  /** What follows the handles. */
  function drawDraft(): void {
    const now = state();
    if (!now || !subject) return;
    panels.show(now);
    figures.replaceChildren(rankFigures(now, subject.overview, texts));
    const { dense, setting, breakEven } = now.now;
    const isLarger = isCurrent(now) && setting.cost.parameters >= dense.parameters;
    warning.textContent =
      failure ?? (isLarger || (breakEven !== undefined && now.ranks[0]! > breakEven) ? texts.larger : '');
    warning.hidden = warning.textContent === '';
    setDisabled(apply, isInPlan() || subject.plan === 'broken' || !subject.canCompress);
    setDisabled(reset, draft === undefined);
    reveal.hidden = subject.plan === 'none';
    compare.hidden = !subject.canCompress;
  }

  draw();
  return { element: section, show };
}

/** "Conv · 64 × 3 × 3 × 3. It is written as it was." */
function aboutLayer({ op, weightShape, note }: OverviewLayer, texts: ReportTexts): string {
  const what = weightShape ? `${op} · ${formatShape(weightShape)}` : op;
  return fill(texts.aboutLayer, what, note ?? '').trim();
}
