import * as vscode from 'vscode';
import { parsePlanFile } from '../../core/compress/parsePlanFile';
import { printTarget, type Target } from '../../core/compress/plan';
import type { PlanFile } from '../../core/compress/planFile';
import { plural } from '../../core/counted';
import { formatNumber } from '../../core/format';
import { ModelError } from '../../core/onnx/modelError';
import { COMMANDS } from '../../ids';
import type { CallOptions, Engine } from '../../worker/engine';
import type { Calibrations } from '../calibration/calibrations';
import type { GoalData } from '../calibration/goalData';
import { planData } from '../calibration/planData';
import { enginePath } from '../enginePath';
import { engineText } from '../engineText';
import { outlookOf, type Prospect } from '../goals';
import type { Models } from '../models';
import { basename } from '../paths';
import { type PlanGoal, type PlanOutlook, type PreviewTargets, pickGoal } from '../pickGoal';
import { shareOf } from '../previewTargets';
import type { ModelPlan, PlanFiles } from './planFiles';
import { planSource } from './planSource';

/** How a model is to be compressed. */
export type Way =
  | { readonly kind: 'target'; readonly target: Target }
  | { readonly kind: 'plan'; readonly uri: vscode.Uri; readonly plan: PlanFile }
  /** By a plan that can't be carried out; why, as a sentence. */
  | { readonly kind: 'refused'; readonly message: string };

/** What somebody has decided already. */
export interface WayChoices {
  readonly target?: Target;
  /** Carry out this plan; false: whatever plans there are, a goal is asked for. */
  readonly plan?: vscode.Uri | false;
}

/** Decides for each of several models how it is compressed, and asks where nobody has. Undefined when there is nothing to do. */
export type ChooseWays = (
  title: string,
  sources: readonly vscode.Uri[],
  choices: WayChoices,
) => Promise<readonly Way[] | undefined>;

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly planFiles: PlanFiles;
  preview(sources: readonly vscode.Uri[]): PreviewTargets;
  readonly calibrations: Calibrations;
  readonly goalData: GoalData;
}

/** A model with the plan beside it. */
interface Planned {
  readonly source: vscode.Uri;
  readonly plan: ModelPlan;
}

/** Why a plan can't be carried out: its errors, that it is for another version of the model, or was made on data that is gone. */
type Trouble = 'errors' | 'other-model' | 'data';

interface Look {
  readonly prospect: Prospect;
  /** Whether the plan was made on data. */
  readonly isOnData?: boolean;
  readonly trouble?: Trouble;
}

export function createChooseWays({
  engine,
  models,
  planFiles,
  preview,
  calibrations,
  goalData,
}: Parts): ChooseWays {
  async function look({ source, plan }: Planned, measure: boolean, call: CallOptions): Promise<Look> {
    const { parsed } = plan;
    if (!parsed.plan) return troubled('errors', errorsText(parsed.problems.length));
    const { goal } = parsed.plan;
    const data = planData(calibrations, source, plan.uri, parsed.plan);
    const where = data ? { data: enginePath(data) } : {};
    const request = { ...models.request(source), plan: parsed.plan, measure, ...where };
    const { remarks, layers, before, after, weightError, certainty } = await engine.review(request, call);
    const errors = remarks.filter(({ severity }) => severity === 'error');
    if (errors.some(({ code }) => code === 'other-model')) {
      return troubled(
        'other-model',
        vscode.l10n.t(
          'For another version of the model: choose this to plan anew for {0}.',
          printTarget(goal),
        ),
      );
    }
    if (errors.length > 0) return troubled('errors', errorsText(errors.length));
    const noData = remarks.find(({ part }) => part === 'calibration');
    if (noData) {
      return troubled(
        'data',
        vscode.l10n.t('{0} Choose this to say which it is.', engineText(noData.message)),
      );
    }
    const factored = layers.filter(({ planned }) => planned).length;
    const parameters = { before: before.parameters, after: after.parameters };
    const macs = { before: before.macs, after: after.macs };
    const isOnData = parsed.plan.calibration !== null;
    return { prospect: { parameters, macs, factored, weightError, certainty }, isOnData };
  }

  /** The plans of these models as something to choose; `onTrouble` hears of each why it can't be carried out, or that it can. */
  function planGoalOf(
    planned: readonly Planned[],
    count: number,
    onTrouble: (source: vscode.Uri, trouble: Trouble | undefined) => void,
  ): PlanGoal | undefined {
    const [first] = planned;
    if (!first) return undefined;
    const outlook = (looks: readonly Look[]): PlanOutlook => {
      for (const [i, { trouble }] of looks.entries()) onTrouble(planned[i]!.source, trouble);
      const canBeRepaired = count === 1 && looks[0]?.trouble !== undefined;
      const isOnData = looks.some((each) => each.isOnData);
      const text = outlookOf(looks.map(({ prospect }) => prospect));
      return { ...text, ...(isOnData ? { text: onDataText(text.text) } : {}), canBeRepaired };
    };
    const name = basename(first.plan.uri.fsPath);
    return {
      kind: 'plan',
      label: count === 1 ? vscode.l10n.t('By the plan {0}', name) : vscode.l10n.t('By their plans'),
      description: descriptionOf(planned, count),
      async look(tell, { signal, onProgress }) {
        // What needs no weights is there at once.
        tell(outlook(await Promise.all(planned.map((each) => look(each, false, { signal })))));
        const looks: Look[] = [];
        for (const [i, each] of planned.entries()) {
          const share = shareOf(i, planned.length, onProgress);
          looks.push(await look(each, true, { signal, onProgress: share }));
        }
        return outlook(looks);
      },
    };
  }

  async function ask(
    title: string,
    sources: readonly vscode.Uri[],
    usesPlans: boolean,
  ): Promise<readonly Way[] | undefined> {
    const plans = await Promise.all(
      sources.map((source) => (usesPlans ? planFiles.read(source) : undefined)),
    );
    const planned = sources.flatMap((source, i) => (plans[i] ? [{ source, plan: plans[i] }] : []));
    const troubles = new Map<vscode.Uri, Trouble | undefined>();
    const goal = planGoalOf(planned, sources.length, (source, trouble) => troubles.set(source, trouble));
    const choice = await pickGoal(title, preview(sources), goalData(sources), goal);
    if (!choice) return undefined;
    if (choice.kind !== 'plan') return sources.map(() => ({ kind: 'target', target: choice }));
    const only = sources.length === 1 ? planned[0] : undefined;
    if (only) {
      // Somebody may be quicker than the first look.
      const trouble = troubles.has(only.source)
        ? troubles.get(only.source)
        : (await look(only, false, {})).trouble;
      if (trouble) {
        await repair(only.plan, trouble);
        return undefined;
      }
    }
    const others = sources.filter((_, i) => !plans[i]);
    const target = others.length > 0 ? await askForRest(others) : undefined;
    if (others.length > 0 && !target) return undefined;
    return plans.map((plan) => (plan ? wayBy(plan) : { kind: 'target', target: target! }));
  }

  async function askForRest(sources: readonly vscode.Uri[]): Promise<Target | undefined> {
    const title =
      sources.length === 1
        ? vscode.l10n.t('Compress {0}, which has no plan', basename(sources[0]!.fsPath))
        : vscode.l10n.t('Compress the {0} models without a plan', sources.length);
    const choice = await pickGoal(title, preview(sources), goalData(sources));
    return choice?.kind === 'plan' ? undefined : choice;
  }

  return async (title, sources, { target, plan }) => {
    if (plan) {
      const way = await givenWay(plan);
      return sources.map(() => way);
    }
    if (target) return sources.map(() => ({ kind: 'target', target }));
    return ask(title, sources, plan !== false);
  };
}

function troubled(trouble: Trouble, refusal: string): Look {
  const nothing = { before: 0, after: 0 };
  return {
    prospect: {
      refusal,
      parameters: nothing,
      macs: nothing,
      factored: 0,
      weightError: 0,
      certainty: 'exact',
    },
    trouble,
  };
}

/** The error that is shown is that of the weights, which is not what such a plan goes by. */
function onDataText(text: string): string {
  return vscode.l10n.t('{0} · made on calibration data', text);
}

function errorsText(count: number): string {
  return plural(
    count,
    vscode.l10n.t('It has an error: choose this to see it among the problems.'),
    vscode.l10n.t('It has {0} errors: choose this to see them among the problems.', formatNumber(count)),
  );
}

function descriptionOf(planned: readonly Planned[], count: number): string {
  const parts: string[] = [];
  if (planned.length < count) {
    parts.push(vscode.l10n.t('for {0} of {1} models', planned.length, count));
  }
  if (planned.some(({ plan }) => plan.isDirty)) {
    parts.push(vscode.l10n.t('not saved: the text in the editor counts'));
  }
  return parts.join(' · ');
}

function wayBy({ uri, parsed }: Pick<ModelPlan, 'uri' | 'parsed'>): Way {
  const { plan, problems } = parsed;
  if (plan) return { kind: 'plan', uri, plan };
  const [first] = problems;
  const message = vscode.l10n.t(
    'The plan {0} can’t be read: {1}',
    enginePath(uri),
    engineText(first?.message ?? ''),
  );
  return { kind: 'refused', message };
}

async function givenWay(uri: vscode.Uri): Promise<Way> {
  const source = await planSource(uri);
  if (source) return wayBy({ uri, parsed: parsePlanFile(source.text) });
  throw new ModelError('unreadable', vscode.l10n.t('There is no plan {0}.', enginePath(uri)));
}

/** Shows a plan with what is wrong with it; one for another version of its model is made anew, for the same goal. */
async function repair({ uri, parsed }: ModelPlan, trouble: Trouble): Promise<void> {
  await vscode.window.showTextDocument(uri);
  if (trouble === 'other-model') {
    const goal = parsed.plan?.goal;
    await vscode.commands.executeCommand(COMMANDS.replan, { uri, goal });
  } else if (trouble === 'data') await vscode.commands.executeCommand(COMMANDS.chooseCalibration, uri);
  else await vscode.commands.executeCommand('workbench.actions.view.problems');
}
