import * as vscode from 'vscode';
import { AUTO_METHODS, METHOD_IDS, type MethodId, type Ranks } from '../../core/compress/method';
import { type PlanSpot, planSpot } from '../../core/compress/parsePlanFile';
import { printTarget } from '../../core/compress/plan';
import { type PlanFile, printCalibration, printEntry } from '../../core/compress/planFile';
import { adviceEntry } from '../../core/compress/planFixes';
import type { LayerReview, PlanSetting } from '../../core/compress/planReview';
import { plural } from '../../core/counted';
import { formatCount, formatError, formatMacs, formatRanks } from '../../core/format';
import type { Engine } from '../../worker/engine';
import { type Calibrations, requestOf } from '../calibration/calibrations';
import { calibrationLine, dataName } from '../calibration/calibrationText';
import { engineText } from '../engineText';
import type { Failures } from '../failures';
import { goalGroups } from '../goals';
import { methodName } from '../layerText';
import type { Models } from '../models';
import { modelOf, PLAN_SELECTOR, type PlanDocument, type PlanDocuments } from './planDocuments';
import { rangeOf } from './planEdit';

interface Parts {
  readonly plans: PlanDocuments;
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
  readonly calibrations: Calibrations;
}

/** What may be written in place of what a plan holds: by what the last review says, as a text is rarely whole while it is typed. */
export function createCompletions({ plans, ...parts }: Parts): vscode.Disposable {
  const provider: vscode.CompletionItemProvider = {
    async provideCompletionItems(document, position, token) {
      const spot = planSpot(document.getText(), document.offsetAt(position));
      if (!spot) return [];
      const range = rangeOf(document, spot.replace);
      // VS Code completes within a line.
      if (!range.isSingleLine) return [];
      const drafts = await draftsFor(spot, plans.of(document), parts, token);
      return drafts.map((draft, i) => itemOf(draft, range, i));
    },
  };
  return vscode.languages.registerCompletionItemProvider(PLAN_SELECTOR, provider, '"', '[');
}

/** One entry of the list. */
interface Draft {
  readonly label: string;
  /** Beside the label, in grey. */
  readonly description?: string;
  /** What it is, when it is looked at. */
  readonly detail: string;
  /** What takes the place of what stands there. */
  readonly text: string;
  readonly kind: vscode.CompletionItemKind;
}

/** In the order they are given. */
function itemOf(
  { label, description, detail, text, kind }: Draft,
  range: vscode.Range,
  index: number,
): vscode.CompletionItem {
  const item = new vscode.CompletionItem(description ? { label, description } : label, kind);
  item.detail = detail;
  item.insertText = text;
  // What stands there is compared with this.
  item.filterText = text;
  item.sortText = String(index).padStart(6, '0');
  item.range = range;
  return item;
}

async function draftsFor(
  spot: PlanSpot,
  state: PlanDocument | undefined,
  parts: Omit<Parts, 'plans'>,
  token: vscode.CancellationToken,
): Promise<readonly Draft[]> {
  const layers = state?.review?.layers ?? [];
  switch (spot.kind) {
    case 'goal':
      return goalDrafts();
    case 'calibration':
      return state ? dataDrafts(state, parts, token) : [];
    case 'layer': {
      const keys = keysOf(state?.document.getText() ?? '');
      return layers
        .filter(({ layer }) => !keys.has(JSON.stringify(layer)))
        .map((layer) => layerDraft(layer, spot));
    }
    case 'method':
      return methodDrafts(layers.find(({ layer }) => layer === spot.layer));
    case 'ranks':
      return state ? rankDrafts(spot, state, parts, token) : [];
  }
}

/** None, or the data that was chosen for the model, as a plan that is made on it names it. */
async function dataDrafts(
  { document, parsed, reviewed }: PlanDocument,
  { engine, models, failures, calibrations }: Omit<Parts, 'plans'>,
  token: vscode.CancellationToken,
): Promise<readonly Draft[]> {
  const kind = vscode.CompletionItemKind.Value;
  const none: Draft = {
    label: NULL,
    detail: vscode.l10n.t('none: by the weights alone'),
    text: 'null',
    kind,
  };
  const plan = parsed.plan ?? reviewed;
  const model = plan && modelOf(document, plan);
  const chosen = model && calibrations.of(model);
  if (!chosen) return [none];
  const request = {
    ...models.request(model),
    calibration: requestOf(chosen),
    seed: plan.seed,
    identify: true,
  };
  const signal = signalOf(token);
  const outcome = await failures.orSentence(engine.describeCalibration(request, { signal }));
  if ('message' in outcome || !outcome.value.identity) return [none];
  const text = printCalibration(outcome.value.identity);
  return [{ label: dataName(chosen), detail: calibrationLine(chosen), text, kind }, none];
}

const NULL = JSON.stringify(null);

function signalOf(token: vscode.CancellationToken): AbortSignal {
  const abort = new AbortController();
  token.onCancellationRequested(() => abort.abort(new DOMException('Nobody waits for it.', 'AbortError')));
  return abort.signal;
}

/** All names in front of colons, as written: a parser loses what follows the half of a name. */
function keysOf(text: string): ReadonlySet<string> {
  return new Set(text.match(/"(?:[^"\\\n]|\\.)*"(?=\s*:)/g));
}

function goalDrafts(): readonly Draft[] {
  return goalGroups().flatMap(({ goals }) =>
    goals.map(({ label, target }) => {
      const share = 'share' in target ? { share: Number(target.share.toPrecision(3)) } : {};
      const text = printTarget({ ...target, ...share });
      return {
        label: text,
        detail: label,
        text: JSON.stringify(text),
        kind: vscode.CompletionItemKind.Value,
      };
    }),
  );
}

/** A layer that the plan does not mention, with what a planner would make of it. */
function layerDraft(
  { layer, op, dense, advice }: LayerReview,
  { hasEntry, isFollowed }: Extract<PlanSpot, { readonly kind: 'layer' }>,
): Draft {
  const entry = advice ? adviceEntry(layer, advice) : ({ kind: 'dense', layer, reason: '' } as const);
  const name = JSON.stringify(layer);
  const [parameters, macs] = [formatCount(dense.parameters), engineText(formatMacs(dense.macs))];
  return {
    label: layer,
    description: op,
    detail: vscode.l10n.t('{0} · {1} parameters · {2} MACs', op, parameters, macs),
    text: hasEntry ? name : `${name}: ${printEntry(entry)}${isFollowed ? ',' : ''}`,
    kind: vscode.CompletionItemKind.Property,
  };
}

/** The methods that fit a layer; all where it is not known. */
function methodDrafts(layer: LayerReview | undefined): readonly Draft[] {
  const fitting = layer && layer.methods.length > 0 ? layer.methods : METHOD_IDS;
  const isMatrix = layer !== undefined && fitting.includes('svd');
  return fitting.map((method) => {
    const count = isMatrix && !AUTO_METHODS.includes(method) ? undefined : RANK_COUNTS[method];
    const ranks =
      count === undefined
        ? undefined
        : plural(count, vscode.l10n.t('one rank'), vscode.l10n.t('{0} ranks', count));
    return {
      label: method,
      ...(ranks === undefined ? {} : { description: ranks }),
      detail: methodName(method),
      text: JSON.stringify(method),
      kind: vscode.CompletionItemKind.EnumMember,
    };
  });
}

/** For convolutions; on matrices tt and tr have as many as the sizes have divisors. */
const RANK_COUNTS: Readonly<Record<MethodId, number>> = {
  svd: 1,
  channel: 1,
  'input-channel': 1,
  spatial: 1,
  tucker2: 2,
  cp: 1,
  cp3: 1,
  tt: 3,
  tr: 4,
  btd: 3,
  group: 2,
  dcf: 1,
};

/** What would be suggested, some ranks with their errors, and multiples of the block below break-even. */
async function rankDrafts(
  spot: Extract<PlanSpot, { readonly kind: 'ranks' }>,
  { document, parsed, reviewed, review }: PlanDocument,
  parts: Omit<Parts, 'plans'>,
  token: vscode.CancellationToken,
): Promise<readonly Draft[]> {
  const layer = review?.layers.find((each) => each.layer === spot.layer);
  // Half a rank is no plan: then what there was before it was typed.
  const plan = parsed.plan ?? reviewed;
  if (!layer || !plan) return [];
  const { advice, breakEven } = layer;
  const suggested =
    advice?.kind === 'factor' && advice.setting.method === spot.method ? advice.setting : undefined;
  const planned = layer.planned?.method === spot.method ? layer.planned : undefined;
  const model = modelOf(document, plan);
  const errors = new Map<string, RankOffer>();
  for (const each of await tableOf(planned ?? suggested, model, layer, plan, parts, token)) {
    if (!breakEven || !planned || each.ranks[0]! <= breakEven) errors.set(String(each.ranks), each);
  }
  if (planned && breakEven !== undefined) {
    let step = plan.multiple;
    while (breakEven / step > MOST_RANKS) step *= 2;
    for (let rank = step; rank <= breakEven; rank += step) {
      if (!errors.has(String(rank))) errors.set(String(rank), { ranks: [rank], error: null });
    }
  }
  errors.delete(String(suggested?.ranks));
  const others = [...errors.values()].sort((one, other) => compare(one.ranks, other.ranks));
  const draft = ({ ranks, error, certainty = 'exact' }: RankOffer): Draft => ({
    label: formatRanks(ranks),
    detail: error === null ? '' : vscode.l10n.t('error {0}', formatError(error, certainty)),
    text: `[${ranks.join(', ')}]`,
    kind: vscode.CompletionItemKind.Value,
  });
  return [
    ...(suggested ? [{ ...draft(suggested), description: vscode.l10n.t('suggested') }] : []),
    ...others.map(draft),
  ];
}

type RankOffer = Pick<PlanSetting, 'ranks' | 'error'> & Partial<Pick<PlanSetting, 'certainty'>>;

function compare(one: Ranks, other: Ranks): number {
  const i = one.findIndex((rank, at) => rank !== other[at]);
  return i < 0 ? 0 : one[i]! - (other[i] ?? 0);
}

/** Some settings of the method with their errors, if they can be had without measuring anything. */
async function tableOf(
  setting: PlanSetting | undefined,
  model: vscode.Uri,
  { layer }: LayerReview,
  { foldNorms }: PlanFile,
  { engine, models, failures }: Omit<Parts, 'plans'>,
  token: vscode.CancellationToken,
): Promise<readonly PlanSetting[]> {
  if (!setting || setting.error === null) return [];
  const abort = new AbortController();
  const cancelling = token.onCancellationRequested(() =>
    abort.abort(new DOMException('Nobody waits for it.', 'AbortError')),
  );
  const { method, ranks } = setting;
  const request = { ...models.request(model), layer, method, ranks, foldNorms };
  const outcome = await failures.orSentence(engine.explain(request, { signal: abort.signal }));
  cancelling.dispose();
  return 'message' in outcome ? [] : outcome.value.table;
}

/** More multiples can't be looked through. */
const MOST_RANKS = 20;
