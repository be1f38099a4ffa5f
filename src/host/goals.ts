import { l10n } from 'vscode';
import { leastCertain } from '../core/compress/method';
import { parseTarget, type Target } from '../core/compress/plan';
import type { Preview } from '../core/compress/report';
import { plural } from '../core/counted';
import {
  formatChange,
  formatCount,
  formatError,
  formatMacs,
  formatPercent,
  formatShare,
} from '../core/format';
import { sampleCount } from './counts';
import { engineText } from './engineText';

/** A target with the words for it. */
export interface Goal {
  readonly label: string;
  readonly target: Target;
}

/** What the quick pick offers, in groups; with calibration data, and with labels for it, more can be promised. */
export function goalGroups(
  isOnData = false,
  hasLabels = false,
): readonly { readonly title: string; readonly goals: readonly Goal[] }[] {
  const atMost = (error: number): Goal => ({
    label: l10n.t('At most {0} output error', formatPercent(error)),
    target: { kind: 'error', error },
  });
  const lost = (points: number): Goal => ({
    label: plural(
      points,
      l10n.t('At most 1 point of accuracy lost'),
      l10n.t('At most {0} points of accuracy lost', points),
    ),
    target: { kind: 'accuracy', points },
  });
  return [
    ...(hasLabels ? [{ title: l10n.t('Right answers'), goals: [lost(0.5), lost(1), lost(2)] }] : []),
    ...(isOnData ? [{ title: l10n.t('Output error'), goals: [atMost(0.01), atMost(0.05)] }] : []),
    {
      title: l10n.t('Size'),
      goals: [
        { label: l10n.t('Half the parameters'), target: { kind: 'parameters', share: 1 / 2 } },
        { label: l10n.t('A third of the parameters'), target: { kind: 'parameters', share: 1 / 3 } },
      ],
    },
    {
      title: l10n.t('Work'),
      goals: [
        { label: l10n.t('Half the MACs'), target: { kind: 'macs', share: 1 / 2 } },
        { label: l10n.t('A third of the MACs'), target: { kind: 'macs', share: 1 / 3 } },
      ],
    },
    {
      title: l10n.t('Time'),
      goals: [
        { label: l10n.t('Half the time on this computer'), target: { kind: 'time', share: 1 / 2 } },
        { label: l10n.t('A third of the time on this computer'), target: { kind: 'time', share: 1 / 3 } },
      ],
    },
    {
      title: l10n.t('Accuracy'),
      goals: [
        { label: l10n.t('Keep 99 % of each layer’s energy'), target: { kind: 'energy', energy: 0.99 } },
        { label: l10n.t('Keep 95 % of each layer’s energy'), target: { kind: 'energy', energy: 0.95 } },
        { label: l10n.t('Keep 90 % of each layer’s energy'), target: { kind: 'energy', energy: 0.9 } },
      ],
    },
  ];
}

/** What a goal or a plan gives for one model; the error is null while it is not measured. */
export type Prospect = Pick<Preview, 'refusal' | 'parameters' | 'macs' | 'factored' | 'certainty'> & {
  readonly weightError: number | null;
};

/** What a goal would give, for all models together. */
export interface Outlook {
  /** Whether anything would be gained for at least one model. */
  readonly reachable: boolean;
  readonly text: string;
}

/** What a goal of output error promises: what it takes is known only once it is tried. */
export function errorOutlook(): Outlook {
  return {
    reachable: true,
    text: l10n.t('met on samples held back, or refused with the nearest'),
  };
}

/** What a goal of accuracy promises; `heldBack`: the samples that right answers are counted on, where that is known. */
export function accuracyOutlook(heldBack?: number): Outlook {
  const text = heldBack
    ? l10n.t(
        'met on {0} held back (each counts {1}), or refused',
        sampleCount(heldBack),
        formatShare(1 / heldBack),
      )
    : l10n.t('met on samples held back, or refused with the nearest');
  return { reachable: true, text };
}

/**
 * Sums up what a goal would do to each of the models. Those that can't reach it stay as they are. With `isOnData` the figures
 * are those of the weights alone, and so not more than a hint.
 */
export function outlookOf(previews: readonly Prospect[], isOnData = false): Outlook {
  const useful = previews.filter((p) => p.refusal === undefined && p.factored > 0);
  if (useful.length === 0) {
    const refusal = previews.find((p) => p.refusal !== undefined)?.refusal;
    return {
      reachable: false,
      text: refusal === undefined ? l10n.t('No layer would become smaller.') : engineText(refusal),
    };
  }
  const sum = (pick: (p: Prospect) => number | null) =>
    useful.reduce<number | null>((total, p) => add(total, pick(p)), 0);
  const before = sum((p) => p.parameters.before)!;
  const after = sum((p) => p.parameters.after)!;
  const macsBefore = sum((p) => p.macs.before);
  const macsAfter = sum((p) => p.macs.after);
  const parts = [l10n.t('{0} parameters ({1})', formatCount(after), formatChange(before, after))];
  if (macsBefore !== null && macsAfter !== null) {
    parts.push(l10n.t('{0} MACs ({1})', formatMacs(macsAfter), formatChange(macsBefore, macsAfter)));
  }
  const errors = isOnData ? [null] : useful.map((p) => p.weightError);
  if (errors.every((error) => error !== null)) {
    const error = formatError(Math.max(...errors), leastCertain(useful.map(({ certainty }) => certainty)));
    parts.push(
      previews.length === 1 ? l10n.t('weight error {0}', error) : l10n.t('weight error up to {0}', error),
    );
  }
  if (useful.length < previews.length) {
    parts.unshift(l10n.t('{0} of {1} models', useful.length, previews.length));
  }
  const text = parts.join(' · ');
  return { reachable: true, text: isOnData ? l10n.t('about {0}', text) : text };
}

function add(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** What is wrong with a custom goal, as a sentence; undefined when it can be read. */
export function complaintAbout(text: string): string | undefined {
  if (parseTarget(text)) return undefined;
  const kind = /^\s*(parameters|macs|bytes|time|ms|error|accuracy|energy|rank|ratio|evbmf)\s*=/.exec(
    text,
  )?.[1];
  switch (kind) {
    case 'parameters':
    case 'macs':
    case 'bytes':
    case 'time':
      return l10n.t('The share that shall remain lies between 0 and 1, for example {0}=0.5.', kind);
    case 'energy':
      return l10n.t('The energy each layer shall keep lies between 0 and 1, for example energy=0.95.');
    case 'error':
      return l10n.t('The estimated error of the output lies between 0 and 1, for example error=0.05.');
    case 'accuracy':
      return l10n.t(
        'The points of accuracy that may be lost are at least 0 and below 100, for example accuracy=0.5.',
      );
    case 'ratio':
      return l10n.t('The share of each layer’s parameters lies between 0 and 1, for example ratio=0.5.');
    case 'evbmf':
      return l10n.t('The weakening of EVBMF is at least 0 and below 1, for example evbmf=0.');
    case 'ms':
      return l10n.t('The milliseconds that an inference may take are a number above 0, for example ms=1.5.');
    case 'rank':
      return l10n.t('The rank is a whole number above 0, for example rank=32.');
    default:
      return l10n.t(
        'Write parameters=0.5, macs=0.5, bytes=0.5, time=0.5, ms=1.5, error=0.05, energy=0.95, ratio=0.5, evbmf=0 or rank=32.',
      );
  }
}

/** What is said of a goal of time, which nobody knows the outcome of before layers were timed. */
export function timedOutlook(): Outlook {
  return { reachable: true, text: l10n.t('Layers are timed first; that can take half a minute.') };
}
