import type { MethodId, Ranks } from './method';

/** What a compression shall reach. */
export type Target =
  /** At most this share of the original's stored parameters, 0 < share < 1. */
  | { readonly kind: 'parameters'; readonly share: number }
  /** At most this share of the original's MACs. */
  | { readonly kind: 'macs'; readonly share: number }
  /** At most this share of the bytes of the original's constants. */
  | { readonly kind: 'bytes'; readonly share: number }
  /** At most this share of the time that the original takes, measured on this machine. */
  | { readonly kind: 'time'; readonly share: number }
  /** At most so many milliseconds for an inference on this machine. */
  | { readonly kind: 'ms'; readonly ms: number }
  /** The fewest parameters at which the output's relative error is estimated to be at most this, 0 < error < 1. */
  | { readonly kind: 'error'; readonly error: number }
  /** The fewest parameters at which at most this many percentage points of right answers are lost on labelled samples. */
  | { readonly kind: 'accuracy'; readonly points: number }
  /** Every layer keeps at least this share of Σ σ² (Zhang et al. 2015, §3.4), whatever that saves. */
  | { readonly kind: 'energy'; readonly energy: number }
  /** The same rank for every layer. */
  | { readonly kind: 'rank'; readonly rank: number }
  /** The factors of every layer have at most this share of its weight's parameters. */
  | { readonly kind: 'ratio'; readonly ratio: number }
  /** For every layer the ranks that stand out from noise, from 0, EVBMF's own, to 1, the full ones (`evbmf.ts`). */
  | { readonly kind: 'evbmf'; readonly weakening: number };

/** What is to become of one layer. */
export type LayerPlan =
  | { readonly kind: 'factor'; readonly layer: string; readonly method: MethodId; readonly ranks: Ranks }
  | { readonly kind: 'dense'; readonly layer: string; readonly reason: string };

/** What is to become of a model: the target, and the choice it led to for every layer. */
export interface Plan {
  readonly target: Target;
  readonly layers: readonly LayerPlan[];
}

/** A target as the CLI takes it and reports name it: `parameters=0.5`. */
export function printTarget(target: Target): string {
  switch (target.kind) {
    case 'energy':
      return `energy=${target.energy}`;
    case 'rank':
      return `rank=${target.rank}`;
    case 'ms':
      return `ms=${target.ms}`;
    case 'error':
      return `error=${target.error}`;
    case 'accuracy':
      return `accuracy=${target.points}`;
    case 'ratio':
      return `ratio=${target.ratio}`;
    case 'evbmf':
      return `evbmf=${target.weakening}`;
    default:
      return `${target.kind}=${target.share}`;
  }
}

/** Reads what {@link printTarget} prints; undefined for anything else. */
export function parseTarget(text: string): Target | undefined {
  const match =
    /^(parameters|macs|bytes|time|ms|error|accuracy|energy|rank|ratio|evbmf)=(\d+(?:\.\d+)?|\.\d+)$/.exec(
      text.trim(),
    );
  if (!match) return undefined;
  const value = Number(match[2]);
  switch (match[1]) {
    case 'rank':
      return Number.isInteger(value) && value >= 1 ? { kind: 'rank', rank: value } : undefined;
    case 'ms':
      return value > 0 ? { kind: 'ms', ms: value } : undefined;
    case 'energy':
      return value > 0 && value <= 1 ? { kind: 'energy', energy: value } : undefined;
    case 'error':
      return value > 0 && value < 1 ? { kind: 'error', error: value } : undefined;
    case 'accuracy':
      return value < 100 ? { kind: 'accuracy', points: value } : undefined;
    case 'ratio':
      return value > 0 && value < 1 ? { kind: 'ratio', ratio: value } : undefined;
    case 'evbmf':
      return value >= 0 && value < 1 ? { kind: 'evbmf', weakening: value } : undefined;
    case 'macs':
    case 'bytes':
    case 'time':
    case 'parameters':
      return value > 0 && value < 1 ? { kind: match[1], share: value } : undefined;
    default:
      return undefined;
  }
}

/** Whether a target is about milliseconds, so that layers have to be timed before it can be planned for. */
export function isTimed(target: Target): target is Extract<Target, { readonly kind: 'time' | 'ms' }> {
  return target.kind === 'time' || target.kind === 'ms';
}
