import * as vscode from 'vscode';
import type { MethodId, Ranks } from '../../core/compress/method';
import type { Place } from '../../core/compress/parsePlanFile';
import type { PlanCalibration } from '../../core/compress/planFile';
import type { LayerReview, SettingDetail } from '../../core/compress/planReview';
import { COMMANDS } from '../../ids';
import type { Engine } from '../../worker/engine';
import { sampleCount } from '../counts';
import { engineText } from '../engineText';
import type { Failures } from '../failures';
import { markdown } from '../markdown';
import type { Models } from '../models';
import { entryStates } from './entryStates';
import { type ExplainedEntry, headingText, pictureOf, remarksText, tableText } from './hoverText';
import type { PictureTheme } from './pictureColours';
import { PLAN_SELECTOR, type PlanDocument, type PlanDocuments } from './planDocuments';
import { rangeOf } from './planEdit';
import { basisText, goalText } from './planText';
import { spectrumPicture } from './spectrumPicture';

interface Parts {
  readonly plans: PlanDocuments;
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
}

/** What a layer's entry, or the goal, comes to, where the mouse rests on it. What members mean is said by the JSON schema. */
export function createPlanHovers({ plans, engine, models, failures }: Parts): vscode.Disposable {
  /** What is planned, or else what the picture of a layer that stays as it is can be of. */
  async function explain(
    { model, parsed }: PlanDocument,
    review: LayerReview,
    token: vscode.CancellationToken,
  ): Promise<SettingDetail | { readonly message: string } | undefined> {
    const setting = explainable(review);
    if (!setting || !model || !parsed.plan) return undefined;
    const abort = new AbortController();
    const cancelled = token.onCancellationRequested(() =>
      abort.abort(new DOMException('Nobody looks any more.', 'AbortError')),
    );
    const { foldNorms } = parsed.plan;
    const request = { ...models.request(model), layer: review.layer, ...setting, foldNorms };
    const outcome = await failures.orSentence(engine.explain(request, { signal: abort.signal }));
    cancelled.dispose();
    return 'message' in outcome ? outcome : outcome.value;
  }

  async function entryHover(
    plan: PlanDocument,
    layer: string,
    token: vscode.CancellationToken,
  ): Promise<vscode.MarkdownString | undefined> {
    const state = entryStates(plan).get(layer);
    const goal = plan.parsed.plan?.goal;
    if (!state || !goal || state.kind === 'pending') return undefined;
    if (state.kind === 'refused')
      return text([headingText(layer, undefined), markdown(state.message)].join('\n\n'));
    const { entry, review } = state;
    const answer = await explain(plan, review, token);
    if (token.isCancellationRequested) return undefined;
    const detail = answer && 'curves' in answer ? answer : undefined;
    const explained: ExplainedEntry = { goal, entry, review, ...(detail ? { detail } : {}) };
    const picture = pictureOf(explained, themeNow());
    const sections = [
      headingText(layer, entry),
      ...(picture ? [`![${markdown(picture.description)}](${imageUri(spectrumPicture(picture))})`] : []),
      tableText(explained),
      ...(answer && 'message' in answer ? [markdown(answer.message)] : []),
      remarksText(explained).join('  \n'),
      ...(plan.parsed.plan?.calibration ? [markdown(basisText(plan.parsed.plan.calibration))] : []),
      ...measuringText(plan),
      linksText(plan, review),
    ];
    return text(sections.filter((section) => section).join('\n\n'));
  }

  return vscode.languages.registerHoverProvider(PLAN_SELECTOR, {
    async provideHover(document, position, token) {
      const plan = await plans.settled(document, token);
      if (!plan || token.isCancellationRequested) return undefined;
      const { parsed, review, isCurrent, failure } = plan;
      const offset = document.offsetAt(position);
      const goal = parsed.members.get('goal');
      if (goal && contains(goal, offset) && parsed.plan && review && isCurrent)
        return new vscode.Hover(text(markdown(goalText(parsed.plan.goal, review))), rangeOf(document, goal));
      const data = parsed.members.get('calibration');
      if (data && contains(data, offset) && parsed.plan?.calibration)
        return new vscode.Hover(text(dataText(parsed.plan.calibration, plan)), rangeOf(document, data));
      for (const [layer, { name, entry }] of parsed.places) {
        const whole = { offset: name.offset, length: entry.offset + entry.length - name.offset };
        if (!contains(whole, offset)) continue;
        const content =
          failure === undefined ? await entryHover(plan, layer, token) : text(markdown(failure));
        return content && new vscode.Hover(content, rangeOf(document, name));
      }
      return undefined;
    },
  });
}

/** Methods with one rank have one picture: the first of these that fits shows the spectrum of a layer that is left alone. */
const PLAINEST: readonly MethodId[] = ['svd', 'spatial', 'channel', 'input-channel'];

function explainable({
  planned,
  advice,
  methods,
}: LayerReview): { readonly method: MethodId; readonly ranks: Ranks } | undefined {
  const setting = planned ?? (advice?.kind === 'factor' ? advice.setting : undefined);
  if (setting) return { method: setting.method, ranks: setting.ranks };
  const method = PLAINEST.find((each) => methods.includes(each));
  return method && { method, ranks: [1] };
}

function measuringText({ measuring, review }: PlanDocument): readonly string[] {
  if (review?.isMeasured !== false || measuring === undefined) return [];
  return [vscode.l10n.t('$(loading~spin) Measuring the model, {0} %', Math.round(100 * measuring))];
}

/** The data that a plan was made on, how it was read, and whether it is still there. */
function dataText(calibration: PlanCalibration, { document, review }: PlanDocument): string {
  const { file, samples, mean, std, options } = calibration;
  const how = [
    ...(mean.length > 0 ? [vscode.l10n.t('mean {0}', mean.join(', '))] : []),
    ...(std.length > 0 ? [vscode.l10n.t('standard deviation {0}', std.join(', '))] : []),
    ...(options.length > 0 ? [options.join(' ')] : []),
  ].join(' · ');
  const trouble = review?.remarks.find(({ part }) => part === 'calibration');
  const choose = commandLink(
    vscode.l10n.t('Choose calibration data…'),
    COMMANDS.chooseCalibration,
    document.uri.toString(),
  );
  return [
    `**${markdown(file)}** ${markdown(sampleCount(samples))}`,
    ...(how === '' ? [] : [markdown(how)]),
    ...(trouble ? [`$(warning) ${markdown(engineText(trouble.message))}`] : []),
    markdown(basisText(calibration)),
    choose,
  ].join('\n\n');
}

function commandLink(title: string, command: string, ...args: readonly unknown[]): string {
  return `[${title}](command:${command}?${encodeURIComponent(JSON.stringify(args))})`;
}

/** What can be done with a layer. */
function linksText({ document, model }: PlanDocument, { layer, methods }: LayerReview): string {
  const links = [
    commandLink(vscode.l10n.t('Show in Layers'), COMMANDS.revealPlannedLayer, document.uri.toString(), layer),
  ];
  if (methods.length > 0)
    links.push(
      commandLink(vscode.l10n.t('Compare Methods…'), COMMANDS.compareMethods, {
        model,
        layer,
        plan: document.uri,
      }),
    );
  return links.join(' · ');
}

function text(value: string): vscode.MarkdownString {
  const string = new vscode.MarkdownString(value, true);
  string.isTrusted = {
    enabledCommands: [COMMANDS.revealPlannedLayer, COMMANDS.compareMethods, COMMANDS.chooseCalibration],
  };
  return string;
}

function imageUri(svg: string): string {
  const bytes = Array.from(new TextEncoder().encode(svg), (byte) => String.fromCharCode(byte));
  return `data:image/svg+xml;base64,${btoa(bytes.join(''))}`;
}

function themeNow(): PictureTheme {
  switch (vscode.window.activeColorTheme.kind) {
    case vscode.ColorThemeKind.Light:
      return 'light';
    case vscode.ColorThemeKind.HighContrast:
      return 'high-contrast';
    case vscode.ColorThemeKind.HighContrastLight:
      return 'high-contrast-light';
    default:
      return 'dark';
  }
}

function contains({ offset, length }: Place, at: number): boolean {
  return at >= offset && at <= offset + length;
}
