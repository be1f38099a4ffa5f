import type { MethodId, Ranks } from './method';

/** What a compression shall reach. */
export type Target =
  /** At most this share of the original's stored parameters, 0 < share < 1. */
  | { readonly kind: 'parameters'; readonly share: number }
  /** At most this share of the original's MACs. */
  | { readonly kind: 'macs'; readonly share: number }
  /** Every layer keeps at least this share of Σ σ² (Zhang et al. 2015, §3.4), whatever that saves. */
  | { readonly kind: 'energy'; readonly energy: number }
  /** The same rank for every layer. */
  | { readonly kind: 'rank'; readonly rank: number };

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
    default:
      return `${target.kind}=${target.share}`;
  }
}

/** Reads `parameters=0.5`, `macs=0.5`, `energy=0.95` or `rank=32`; undefined for anything else. */
export function parseTarget(text: string): Target | undefined {
  const match = /^(parameters|macs|energy|rank)=(\d+(?:\.\d+)?|\.\d+)$/.exec(text.trim());
  if (!match) return undefined;
  const value = Number(match[2]);
  switch (match[1]) {
    case 'rank':
      return Number.isInteger(value) && value >= 1 ? { kind: 'rank', rank: value } : undefined;
    case 'energy':
      return value > 0 && value <= 1 ? { kind: 'energy', energy: value } : undefined;
    case 'macs':
    case 'parameters':
      return value > 0 && value < 1 ? { kind: match[1], share: value } : undefined;
    default:
      return undefined;
  }
}
