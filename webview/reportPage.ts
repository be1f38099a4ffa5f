import type { CompressionReport } from '../src/core/compress/report';
import { element } from './element';
import { layerGrid } from './layerGrid';
import { targetText } from './targetText';
import { measurement, totals } from './totals';
import { unbroken } from './unbroken';

/** The report of one compression. */
export function reportPage(
  report: CompressionReport,
  onReveal: (file: 'original' | 'compressed') => void,
): readonly HTMLElement[] {
  const { original, compressed, layers, problems } = report;
  const file = (which: 'original' | 'compressed', path: string) =>
    element(
      'vscode-link',
      { href: '#', title: path, onclick: (event) => reveal(event, which) },
      nameOf(path),
    );
  const reveal = (event: Event, which: 'original' | 'compressed') => {
    event.preventDefault();
    onReveal(which);
  };
  const factored = layers.filter((layer) => layer.method !== 'dense').length;
  return [
    element('h2', {}, file('compressed', compressed.file)),
    element(
      'p',
      { class: 'how' },
      'from ',
      file('original', original.file),
      unbroken(`; ${howText(report)}`),
    ),
    totals(report),
    ...measurement(report),
    ...problems.map((problem) => element('p', { class: 'problem' }, problem.message)),
    element('h3', {}, `${factored} of ${layers.length} layers factored`),
    layerGrid(layers),
  ];
}

/** By which plan, if it was one, and for which goal. */
function howText({ plan, target }: CompressionReport): string {
  const goal = `goal: ${targetText(target)}`;
  // A report of an earlier version, kept over a restart, does not know of plans.
  return plan ? `by the plan ${nameOf(plan)} (${goal})` : goal;
}

function nameOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
