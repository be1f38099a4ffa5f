import type { ErrorCurve } from '../../src/core/compress/planReview';
import { formatCount, formatError, formatMacs } from '../../src/core/format';
import { type Plot, plot } from '../charts/plot';
import { errorAt, type RankMark, spectrumChart, spectrumFrame } from '../charts/spectrumChart';
import { element } from '../element';
import { fill } from '../fill';
import { isCurrent, type RankState } from './rankState';
import type { ReportTexts } from './reportTexts';
import { type Slider, slider } from './slider';

/** The curves of a layer, one for each rank of the method, each with a handle. */
export interface RankPanels {
  readonly element: HTMLElement;
  show(state: RankState): void;
}

interface Handlers {
  /** The handle of a rank is moved. */
  onInput(index: number, rank: number): void;
  /** Enter on a handle. */
  onCommit(): void;
  /** Escape. */
  onCancel(): void;
}

/** A curve with its handle. */
interface Panel {
  readonly plot: Plot;
  readonly slider: Slider;
  readonly caption: HTMLElement;
}

/** @param hint the id of the text that says what keys do */
export function rankPanels(texts: ReportTexts, hint: string, handlers: Handlers): RankPanels {
  const box = element('div', { class: 'plots' });
  let panels: readonly Panel[] | undefined;
  let state: RankState | undefined;

  function panelOf(index: number): Panel {
    const redraw = () => {
      const curve = state?.known.detail.curves[index];
      if (state && curve) draw(panel, state, index, curve);
    };
    const chart = plot(redraw);
    const handle = slider(chart.element, hint, {
      onInput: (value) => handlers.onInput(index, value),
      onCommit: (_, by) => {
        if (by === 'key') handlers.onCommit();
      },
      onCancel: handlers.onCancel,
    });
    chart.element.append(handle.element);
    const panel: Panel = { plot: chart, slider: handle, caption: element('figcaption', { class: 'how' }) };
    return panel;
  }

  function draw(
    { plot: chart, slider: handle, caption }: Panel,
    of: RankState,
    index: number,
    curve: ErrorCurve,
  ) {
    const { known, layer, ranks } = of;
    const rank = ranks[index]!;
    chart.draw(spectrumChart(curve, marksOf(of, index, curve), chart.width()));
    const { x, y } = spectrumFrame(curve, chart.width());
    const name = known.detail.curves.length > 1 ? curve.rankName : '';
    caption.textContent = [name, texts.weightErrorByRank].filter(Boolean).join(': ');
    handle.update({
      label: fill(texts.rankLabel, `${layer}${name && `, ${name}`}`),
      min: 1,
      max: curve.fullRank,
      value: rank,
      step: known.steps[index] ?? 1,
      text: spoken(of, rank, curve),
      at: x.at,
      of: x.of,
    });
    // Where the curve is, so that the grip sits on it.
    handle.element.style.setProperty('--grip', `${y.at(errorAt(curve, rank))}px`);
  }

  function spoken(of: RankState, rank: number, curve: ErrorCurve): string {
    const { cost, error: exact, certainty } = of.now.setting;
    const isKnown = isCurrent(of);
    const error = isKnown ? exact : errorAt(curve, rank);
    const percent = error === null ? texts.unknown : formatError(error, certainty);
    const said = [rank, curve.fullRank, percent] as const;
    if (!isKnown) return fill(texts.rankValueWithoutMacs, ...said, '…');
    return cost.macs === null
      ? fill(texts.rankValueWithoutMacs, ...said, formatCount(cost.parameters))
      : fill(texts.rankValue, ...said, formatCount(cost.parameters), formatMacs(cost.macs));
  }

  return {
    element: box,
    show(next) {
      state = next;
      const { curves } = next.known.detail;
      if (panels?.length !== curves.length) {
        panels = curves.map((_, i) => panelOf(i));
        box.replaceChildren(
          ...panels.map((panel) => element('figure', {}, panel.caption, panel.plot.element)),
          ...(curves.length === 0 ? [element('p', { class: 'note' }, texts.noCurve)] : []),
        );
      }
      for (const [i, panel] of panels.entries()) draw(panel, next, i, curves[i]!);
    },
  };
}

/** What stands out on the curve of a rank. */
function marksOf({ known }: RankState, index: number, curve: ErrorCurve): readonly RankMark[] {
  const { chosen, suggested, detail } = known;
  const { setting, breakEven } = detail;
  const marks: RankMark[] = [];
  if (breakEven !== undefined) marks.push({ kind: 'breakEven', rank: breakEven });
  if (curve.evbmf !== null) marks.push({ kind: 'evbmf', rank: curve.evbmf });
  if (suggested?.method === setting.method) marks.push({ kind: 'suggested', rank: suggested.ranks[index]! });
  if (chosen?.method === setting.method) marks.push({ kind: 'planned', rank: chosen.ranks[index]! });
  return marks;
}
