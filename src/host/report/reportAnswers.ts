import * as vscode from 'vscode';
import type { Answer, LayerDetail, Question, Setting, Subject } from '../../../webview/messages';
import type { LayerInfo } from '../../core/compress/analysis';
import type { MethodId } from '../../core/compress/method';
import type { PlanFile } from '../../core/compress/planFile';
import type { SettingDetail } from '../../core/compress/planReview';
import { blockOf, LARGEST_BLOCK } from '../../core/compress/ranks/rankMultiple';
import { ModelError } from '../../core/onnx/modelError';
import type { Engine } from '../../worker/engine';
import { fileUri } from '../enginePath';
import type { Failures } from '../failures';
import type { Models } from '../models';
import { basename } from '../paths';
import type { PlanChanges } from '../plans/planChanges';
import type { Suggestions } from '../suggestions';
import { withNotification } from '../withNotification';
import type { ReportSubject } from './reportSubject';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly suggestions: Suggestions;
  readonly changes: PlanChanges;
  readonly subject: ReportSubject;
  readonly failures: Failures;
}

/** Answers what the page asks about the model that it shows. */
export type ReportAnswers = (question: Question) => Promise<Answer>;

/** Methods with one rank have one curve: the first of these that fits shows the spectrum of a layer that is left alone. */
const PLAINEST: readonly MethodId[] = ['svd', 'spatial', 'channel', 'input-channel', 'tucker2'];

export function createReportAnswers(parts: Parts): ReportAnswers {
  const { engine, models, suggestions, changes, subject, failures } = parts;

  async function explain(shown: Subject, name: string, wanted: Setting | null): Promise<LayerDetail> {
    const model = fileUri(shown.overview.file);
    const plan = subject.plan();
    const foldNorms = plan?.foldNorms ?? true;
    const ask = (setting: Setting) =>
      engine.explain({ ...models.request(model), layer: name, ...setting, foldNorms });
    const layer = shown.overview.layers.find((each) => each.name === name);
    const { ranks, method } = layer ?? {};
    const chosen = ranks && method && method !== 'dense' ? { method, ranks } : null;
    const suggested = await suggestionFor(model, name);
    const setting = wanted ?? chosen ?? suggested;
    const detail = setting ? await ask(setting) : await plainest(ask);
    return { detail, chosen, suggested, steps: stepsOf(detail, plan) };
  }

  async function suggestionFor(model: vscode.Uri, name: string): Promise<Setting | null> {
    const { state } = await models.open(model);
    const layers: readonly LayerInfo[] = state.kind === 'ready' ? state.analysis.layers : [];
    const suggestion = layers.find((each) => each.name === name)?.suggestion;
    return suggestion ? { method: suggestion.method, ranks: suggestion.ranks } : null;
  }

  async function replan(shown: Subject, unit: 'parameters' | 'macs', share: number): Promise<void> {
    const model = fileUri(shown.overview.file);
    const plan = subject.plan();
    const isBudget = plan?.goal.kind === 'parameters' || plan?.goal.kind === 'macs';
    const request = {
      ...models.request(model),
      target: { kind: unit, share },
      method: 'auto',
      foldNorms: plan?.foldNorms ?? true,
      ...(plan ? { seed: plan.seed } : {}),
      ...(plan && isBudget ? { multiple: plan.multiple } : {}),
    } as const;
    const notified = {
      title: vscode.l10n.t('Re-plan {0}', basename(model.path)),
      cancelled: vscode.l10n.t('The plan stays as it was'),
    };
    await suggestions.pauseDuring(() =>
      withNotification(notified, async (call) => {
        const made = await engine.plan(request, call);
        call.signal.throwIfAborted();
        await changes.replace(model, made.plan);
      }),
    );
  }

  async function answer(
    question: Question,
  ): Promise<LayerDetail | Awaited<ReturnType<Engine['tradeOff']>> | null> {
    const shown = subject.current();
    if (!shown) throw new ModelError('unreadable', vscode.l10n.t('The report shows no model.'));
    switch (question.kind) {
      case 'explain':
        return explain(shown, question.layer, question.setting);
      case 'tradeOff': {
        const plan = subject.plan();
        const isBudget = plan?.goal.kind === 'parameters' || plan?.goal.kind === 'macs';
        const model = fileUri(shown.overview.file);
        const settings = { unit: question.unit, foldNorms: plan?.foldNorms ?? true };
        return engine.tradeOff({
          ...models.request(model),
          ...settings,
          ...(plan && isBudget ? { multiple: plan.multiple } : {}),
        });
      }
      case 'replan':
        await replan(shown, question.unit, question.share);
        return null;
    }
  }

  return (question) => failures.orSentence(answer(question));
}

/** The first method that fits, at the last rank that saves anything. */
async function plainest(ask: (setting: Setting) => Promise<SettingDetail>): Promise<SettingDetail> {
  let refusal: unknown;
  for (const method of PLAINEST) {
    try {
      const first = await ask({ method, ranks: method === 'tucker2' ? [1, 1] : [1] });
      return first.breakEven ? await ask({ method, ranks: [first.breakEven] }) : first;
    } catch (error) {
      if (!(error instanceof ModelError) || error.code !== 'bad-plan') throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** What each rank is moved by: the multiple of the plan, or as much of it as leaves a layer eight steps. */
function stepsOf({ breakEven, curves }: SettingDetail, plan: PlanFile | undefined): readonly number[] {
  const multiple = plan?.multiple ?? LARGEST_BLOCK;
  return curves.map(({ fullRank }) => blockOf(breakEven || fullRank, multiple));
}
