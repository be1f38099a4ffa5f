import * as vscode from 'vscode';
import type { PlanReview } from '../../core/compress/planReview';
import { formatChange, formatCount, formatError, formatMacs } from '../../core/format';
import { COMMANDS } from '../../ids';
import { engineText } from '../engineText';
import { markdown, markdownTable } from '../markdown';
import { basename } from '../paths';
import type { PlanDocument, PlanDocuments } from './planDocuments';
import { basisText, factoredText, goalText, weightErrorText } from './planText';

/** A review takes milliseconds: what is shown changes only when one keeps waiting. */
const STALE_MS = 300;

/** What the plan that is being edited, or is in sight, comes to, in the status bar. */
export interface PlanStatus extends vscode.Disposable {
  /** What is shown, for tests; undefined while no plan is in sight. */
  shown(): Readonly<Pick<vscode.StatusBarItem, 'text' | 'tooltip' | 'accessibilityInformation'>> | undefined;
}

export function createPlanStatus(plans: PlanDocuments): PlanStatus {
  const item = vscode.window.createStatusBarItem('ranksmith.plan', vscode.StatusBarAlignment.Left, 0);
  item.name = vscode.l10n.t('Ranksmith Plan');
  let shown: PlanDocument | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const show = (plan: PlanDocument | undefined) => {
    clearTimeout(timer);
    shown = plan;
    if (!plan) return item.hide();
    const { text, spoken, tooltip, isFailure } = statusOf(plan);
    item.text = text;
    item.tooltip = new vscode.MarkdownString(tooltip, true);
    item.accessibilityInformation = { label: spoken, role: 'button' };
    item.backgroundColor = isFailure ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    item.command = {
      title: vscode.l10n.t('Plan Actions…'),
      command: COMMANDS.planActions,
      arguments: [plan.document.uri],
    };
    item.show();
  };

  /** The plan in the active editor, or else one in sight. */
  const inSight = (): PlanDocument | undefined => {
    const editors = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
    const found = editors.flatMap((editor) => (editor && plans.of(editor.document)) ?? []);
    const active = found.find(({ document }) => document === vscode.window.activeTextEditor?.document);
    return active ?? found.find(({ document }) => document === shown?.document) ?? found[0];
  };

  const follow = (plan: PlanDocument) => {
    const wanted = inSight();
    if (wanted?.document !== plan.document) return;
    const isWaiting = !plan.isCurrent && plan.review !== undefined && shown?.document === plan.document;
    if (!isWaiting) return show(plan);
    clearTimeout(timer);
    timer = setTimeout(() => show(inSight()), STALE_MS);
  };

  const subscriptions = vscode.Disposable.from(
    item,
    plans.onDidChange(follow),
    plans.onDidClose(() => show(inSight())),
    vscode.window.onDidChangeActiveTextEditor(() => show(inSight())),
    vscode.window.onDidChangeVisibleTextEditors(() => show(inSight())),
  );
  show(inSight());
  return {
    shown: () => shown && item,
    dispose() {
      clearTimeout(timer);
      subscriptions.dispose();
    },
  };
}

interface Status {
  readonly text: string;
  /** For screen readers. */
  readonly spoken: string;
  /** Markdown. */
  readonly tooltip: string;
  readonly isFailure: boolean;
}

function statusOf(plan: PlanDocument): Status {
  const { document, parsed, review, isCurrent, failure, measuring } = plan;
  const file = basename(document.uri.path);
  const heading = `**${markdown(file)}**`;
  if (failure !== undefined) {
    return {
      text: vscode.l10n.t('$(warning) Plan without its model'),
      spoken: vscode.l10n.t('{0}: {1}', file, failure),
      tooltip: [heading, markdown(failure)].join('\n\n'),
      isFailure: true,
    };
  }
  if (!review) {
    const [problem] = parsed.problems;
    const isReadable = parsed.plan !== undefined;
    return {
      text: isReadable
        ? vscode.l10n.t('$(loading~spin) Plan')
        : vscode.l10n.t('$(error) Plan that can’t be read'),
      spoken: isReadable
        ? vscode.l10n.t('{0}: being read', file)
        : vscode.l10n.t('{0}: {1}', file, problem?.message ?? ''),
      tooltip: [heading, markdown(engineText(problem?.message ?? ''))].join('\n\n'),
      isFailure: !isReadable,
    };
  }
  const { before, after, weightError, certainty, isMeasured } = review;
  const calibration = (parsed.plan ?? plan.reviewed)?.calibration;
  const percent = measuring === undefined ? '' : `${Math.round(100 * measuring)} %`;
  const isMeasuring = isCurrent && !isMeasured;
  const error = isMeasuring
    ? vscode.l10n.t('measuring {0}', percent)
    : weightError === null
      ? vscode.l10n.t('error unknown')
      : calibration
        ? vscode.l10n.t('weight error {0}', formatError(weightError, certainty))
        : vscode.l10n.t('error {0}', formatError(weightError, certainty));
  const figures = [
    vscode.l10n.t('{0} params', formatChange(before.parameters, after.parameters, 2)),
    ...(before.macs === null || after.macs === null
      ? []
      : [vscode.l10n.t('{0} MACs', formatChange(before.macs, after.macs, 2))]),
    error,
  ];
  const icon = isCurrent ? (isMeasuring ? '$(loading~spin)' : '$(fold-down)') : '$(history)';
  const stale = isCurrent ? [] : [vscode.l10n.t('These figures are of the plan before its last edits.')];
  const lines = [
    ...(isMeasuring ? [vscode.l10n.t('Measuring the model, {0}', percent)] : []),
    ...(parsed.plan && isCurrent ? [markdown(goalText(parsed.plan.goal, review))] : []),
    markdown(
      weightError === null
        ? factoredText(review.layers)
        : `${capital(weightErrorText(review))}, ${factoredText(review.layers)}`,
    ),
    ...(calibration ? [markdown(basisText(calibration))] : []),
    ...problemsText(plan, review),
  ];
  return {
    text: `${icon} ${figures.join(' · ')}`,
    spoken: [vscode.l10n.t('Plan {0}', file), ...stale, ...figures].join(', '),
    tooltip: [heading, ...stale, totalsTable(review), lines.join('  \n')].join('\n\n'),
    isFailure: false,
  };
}

/** Before and after, as a Markdown table. */
function totalsTable({ before, after }: PlanReview): string {
  const macs = before.macs !== null && after.macs !== null ? formatChange(before.macs, after.macs) : '';
  return markdownTable(
    ['', vscode.l10n.t('before'), vscode.l10n.t('after'), ''],
    [
      [
        vscode.l10n.t('Parameters'),
        formatCount(before.parameters),
        formatCount(after.parameters),
        formatChange(before.parameters, after.parameters),
      ],
      [vscode.l10n.t('MACs'), engineText(formatMacs(before.macs)), engineText(formatMacs(after.macs)), macs],
    ],
  );
}

function problemsText({ parsed, isCurrent }: PlanDocument, { remarks }: PlanReview): readonly string[] {
  if (!isCurrent) {
    const [problem] = parsed.problems;
    return problem ? [`$(error) ${markdown(engineText(problem.message))}`] : [];
  }
  const count = (severity: string) => remarks.filter((each) => each.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  return [
    ...(errors > 0
      ? [vscode.l10n.t('$(error) Problems that keep it from being carried out: {0}', errors)]
      : []),
    ...(warnings > 0 ? [vscode.l10n.t('$(warning) Warnings: {0}', warnings)] : []),
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
