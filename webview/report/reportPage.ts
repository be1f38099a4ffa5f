import { shortNames } from '../../src/core/shortNames';
import { element } from '../element';
import { fill } from '../fill';
import type { Subject } from '../messages';
import { nameOf } from '../nameOf';
import { unbroken } from '../unbroken';
import { barsSection } from './barsSection';
import { goalText } from './goalText';
import { layersSection } from './layersSection';
import type { PageContext } from './pageContext';
import { rankSection } from './rankSection';
import { totalsSection } from './totalsSection';
import { tradeOffSection } from './tradeOffSection';

/** The whole page. It is made once and shows one subject after the other, so that focus and places stay. */
export interface ReportPage {
  readonly elements: readonly HTMLElement[];
  show(subject: Subject): void;
  select(layer: string | null): void;
}

export function reportPage(context: PageContext): ReportPage {
  const { texts, post } = context;
  const header = element('header');
  const totals = element('section', { class: 'overview', 'aria-label': texts.overview });
  const bars = barsSection(context);
  const rank = rankSection(context);
  const tradeOff = tradeOffSection(context);
  const layers = layersSection(context);
  let subject: Subject | undefined;

  function link(file: 'original' | 'compressed' | 'plan', path: string): HTMLElement {
    const reveal = (event: Event) => {
      event.preventDefault();
      post({ kind: 'reveal', file });
    };
    return element('vscode-link', { href: '#', title: path, onclick: reveal }, nameOf(path));
  }

  function headerOf({
    overview,
    bases,
    canCompress,
    plan,
    problems,
    measuring,
  }: Subject): readonly HTMLElement[] {
    const { basis, file, compressed, plan: planPath, goal } = overview;
    const made: HTMLElement[] = [
      element('h1', {}, compressed === null ? link('original', file) : link('compressed', compressed)),
    ];
    const how = element('p', { class: 'how' });
    if (compressed !== null) how.append(...between(texts.fromFile, link('original', file)), ' ');
    if (goal) {
      const words = unbroken(goalText(goal, texts));
      if (planPath !== null) how.append(...between(texts.byPlan, link('plan', planPath), words));
      else how.append(fill(texts.forGoal, words));
    }
    if (how.childNodes.length > 0) made.push(how);
    made.push(basisChoice(bases, basis));
    made.push(
      element(
        'p',
        { class: 'how' },
        { none: texts.asItIsMeaning, predicted: texts.predictedMeaning, measured: texts.measuredMeaning }[
          basis
        ],
      ),
    );
    if (measuring !== null) {
      const percent = `${Math.round(100 * measuring)} %`;
      made.push(element('p', { class: 'note', role: 'status' }, fill(texts.measuringWeights, percent)));
    }
    made.push(...problems.map((problem) => element('p', { class: 'problem' }, problem)));
    const buttons: HTMLElement[] = [];
    if (canCompress) {
      const isByPlan = plan === 'weights' || plan === 'calibrated';
      const title = isByPlan ? texts.compressByPlan : texts.compress;
      buttons.push(element('vscode-button', { onclick: () => post({ kind: 'compress' }) }, title));
    }
    if (plan !== 'none') {
      const undo = () => post({ kind: 'undo' });
      buttons.push(element('vscode-button', { appearance: 'secondary', onclick: undo }, texts.undo));
    }
    if (buttons.length > 0) made.push(element('div', { class: 'buttons' }, ...buttons));
    return made;
  }

  /** Predicted or measured: always said, and chosen where there is both. */
  function basisChoice(bases: Subject['bases'], basis: Subject['overview']['basis']): HTMLElement {
    const titles = { none: texts.asItIs, predicted: texts.predicted, measured: texts.measured };
    if (bases.length < 2) return element('p', { class: 'badge' }, titles[basis]);
    return element(
      'div',
      { class: 'bases', role: 'group', 'aria-label': texts.show },
      ...bases.map((each) =>
        element(
          'button',
          {
            class: 'base',
            'aria-pressed': String(each === basis),
            onclick: () => post({ kind: 'basis', basis: each }),
          },
          titles[each],
        ),
      ),
    );
  }

  function show(next: Subject): void {
    const isOther = next.overview.file !== subject?.overview.file;
    subject = next;
    // Who has the focus on one of the header's buttons keeps it: they come in the same order.
    const focused = [...header.querySelectorAll('vscode-button, vscode-link, button')].indexOf(
      document.activeElement!,
    );
    header.replaceChildren(...headerOf(next));
    if (focused >= 0) {
      const again = header.querySelectorAll<HTMLElement>('vscode-button, vscode-link, button')[focused];
      again?.focus();
    }
    totals.replaceChildren(element('h2', {}, texts.overview), ...totalsSection(next, texts));
    const names = shortNames(next.overview.layers);
    bars.show(next.overview, names);
    layers.show(next.overview, names);
    tradeOff.element.hidden = !next.canCompress;
    tradeOff.show(next);
    select(next.layer);
    if (isOther && !context.kept().top) window.scrollTo(0, 0);
  }

  function select(layer: string | null): void {
    if (!subject) return;
    subject = { ...subject, layer };
    bars.select(layer);
    layers.select(layer);
    rank.show(subject, layer);
  }

  return {
    elements: [
      header,
      totals,
      element('div', { class: 'columns' }, bars.element, element('div', {}, rank.element, tradeOff.element)),
      layers.element,
    ],
    show,
    select,
  };
}

/** A text with elements in the places of `{0}`, `{1}`, …. */
function between(
  template: string,
  ...parts: readonly (HTMLElement | string)[]
): readonly (HTMLElement | string)[] {
  return template.split(/\{(\d+)\}/).map((piece, i) => (i % 2 === 1 ? (parts[Number(piece)] ?? '') : piece));
}
