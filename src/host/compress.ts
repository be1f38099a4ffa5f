import * as vscode from 'vscode';
import type { Target } from '../core/compress/plan';
import type { CompressionReport } from '../core/compress/report';
import { isTemporaryName } from '../core/compress/temporaryName';
import { ModelError } from '../core/onnx/modelError';
import { COMMANDS } from '../ids';
import type { CalibrationRequest, CallOptions, CompressRequest, Engine } from '../worker/engine';
import { type Calibrations, requestOf } from './calibration/calibrations';
import { planData } from './calibration/planData';
import type { Dimensions } from './dimensions';
import { enginePath, fileUri } from './enginePath';
import { engineText } from './engineText';
import type { Failures } from './failures';
import type { Models } from './models';
import { basename } from './paths';
import { type Output, pickOutputs } from './pickOutput';
import type { ChooseWays, Way, WayChoices } from './plans/chooseWays';
import { shareOf } from './previewTargets';
import type { ReportView } from './reportView';
import { revealFile } from './revealFile';
import type { Suggestions } from './suggestions';
import { summaryOf, summaryOfSeveral } from './summary';
import { withNotification } from './withNotification';

/** What a caller has decided already; the rest is asked for. */
export interface CompressChoices extends WayChoices {
  /** For a single model only. */
  readonly output?: Output;
  /** In the place of what was chosen for the models; null: none. */
  readonly calibration?: CalibrationRequest | null;
  /** Cancels, as the button of the progress notification does. */
  readonly signal?: AbortSignal;
}

/** Makes smaller models of these files; resolves with the reports of those that succeeded. */
export type Compress = (
  sources: readonly vscode.Uri[],
  choices?: CompressChoices,
) => Promise<readonly CompressionReport[]>;

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly suggestions: Suggestions;
  readonly chooseWays: ChooseWays;
  readonly calibrations: Calibrations;
  readonly dimensions: Dimensions;
  readonly report: ReportView;
  readonly failures: Failures;
}

/** The way from a click to a smaller file: goal, file name, progress, one closing message. */
export function createCompress(parts: Parts): Compress {
  const { engine, models, suggestions, chooseWays, calibrations, dimensions, report, failures } = parts;

  /** The data to calibrate on: that of the plan, what the caller gives, or what was chosen for the model. */
  function dataOf(source: vscode.Uri, way: Way, given: CalibrationRequest | null | undefined) {
    if (given) return { calibration: given };
    const planned = way.kind === 'plan' && planData(calibrations, source, way.uri, way.plan);
    const remembered = calibrations.of(source);
    if (planned) {
      // How it is read the plan says; of labels it says nothing.
      const isSame = remembered?.uri.toString() === planned.toString();
      const labels = isSame && remembered.labels ? { labels: enginePath(remembered.labels) } : {};
      return { calibration: { path: enginePath(planned), ...labels } };
    }
    const chosen = given === null ? null : remembered;
    return chosen ? { calibration: requestOf(chosen) } : {};
  }

  async function compressOne(
    source: vscode.Uri,
    way: Way,
    { uri, overwrite }: Output,
    given: CalibrationRequest | null | undefined,
    call: CallOptions,
    isOneOfSeveral = false,
  ): Promise<CompressionReport> {
    if (way.kind === 'refused') throw new ModelError('bad-plan', way.message);
    const how =
      way.kind === 'plan'
        ? { plan: way.plan, planPath: enginePath(way.uri), target: way.plan.goal }
        : { target: way.target };
    const request = {
      ...models.request(source),
      ...how,
      output: enginePath(uri),
      method: 'auto',
      overwrite,
      ...dataOf(source, way, given),
    } as const;
    // Each refusal that somebody may overrule is asked about once.
    const compressed = async (allowed: Allowed): Promise<CompressionReport> => {
      const running = engine.compress({ ...request, ...allowed }, call);
      try {
        return await running.finally(() => removeLeftovers(uri));
      } catch (error) {
        const more = allowanceFor(error, request.target);
        // What does not pay is told at the end where there are other models to go on with.
        const isTold = isOneOfSeveral && more?.allowed.allowInaccurate;
        if (!more || isTold || !(await askToWrite(more.question, engineText((error as ModelError).message))))
          throw error;
        return compressed({ ...allowed, ...more.allowed });
      }
    };
    const done = await compressed({});
    await dimensions.set(uri, dimensions.of(source));
    await report.show(done);
    await models.refresh(uri);
    // What lies outside of the workspace is found by nobody.
    if (!vscode.workspace.getWorkspaceFolder(source)) await models.open(uri);
    return done;
  }

  async function run(
    sources: readonly vscode.Uri[],
    { output, signal, calibration, ...choices }: CompressChoices = {},
  ): Promise<readonly CompressionReport[]> {
    const [first] = sources;
    if (!first) return [];
    const title =
      sources.length === 1
        ? vscode.l10n.t('Compress {0}', basename(first.fsPath))
        : vscode.l10n.t('Compress {0} models', sources.length);
    const ways = await chooseWays(title, sources, choices);
    if (!ways) return [];
    const outputs = output ? [output] : await pickOutputs(sources);
    if (!outputs) return [];
    const notified = {
      title: titleBy(title, ways),
      cancelled: vscode.l10n.t('Compression cancelled'),
      signal,
    };
    return withNotification(notified, async (call) => {
      if (sources.length === 1) {
        const done = await compressOne(first, ways[0]!, outputs[0]!, calibration, call);
        tell(summaryOf(done), fileUri(done.compressed.file), first);
        return [done];
      }
      const reports: CompressionReport[] = [];
      const refusals: string[] = [];
      for (const [i, source] of sources.entries()) {
        const share = shareOf(i, sources.length, call.onProgress, basename(source.fsPath));
        const each = { ...call, onProgress: share };
        const work = compressOne(source, ways[i]!, outputs[i]!, calibration, each, true);
        const outcome = await failures.orSentence(work);
        if (call.signal.aborted) break;
        if ('message' in outcome) refusals.push(outcome.message);
        else reports.push(outcome.value);
      }
      const last = reports.at(-1);
      if (refusals.length > 0) failures.tell(summaryOfSeveral(reports, refusals));
      else if (last) tell(summaryOfSeveral(reports, []), fileUri(last.compressed.file));
      return reports;
    });
  }

  return (sources, choices) => suggestions.pauseDuring(() => run(sources, choices));
}

/** Says in the title by which plan. */
function titleBy(title: string, ways: readonly Way[]): string {
  const [first, ...others] = ways;
  if (ways.every(({ kind }) => kind === 'target')) return title;
  return first?.kind === 'plan' && others.length === 0
    ? vscode.l10n.t('{0} by the plan {1}', title, basename(first.uri.fsPath))
    : vscode.l10n.t('{0} by their plans', title);
}

/** What is written though the engine would refuse it. */
type Allowed = Pick<CompressRequest, 'allowSlower' | 'allowInaccurate'>;

/** What a refusal may be overruled with, and the question before that; undefined where it may not. */
function allowanceFor(
  error: unknown,
  { kind }: Target,
): { readonly question: string; readonly allowed: Allowed } | undefined {
  if (!(error instanceof ModelError)) return undefined;
  switch (error.code) {
    case 'slower':
      return {
        question: vscode.l10n.t('The compressed model would be slower than the original.'),
        allowed: { allowSlower: true },
      };
    case 'inaccurate':
      return {
        question:
          kind === 'error' || kind === 'accuracy'
            ? vscode.l10n.t('The goal would be missed. The nearest result can be written all the same.')
            : vscode.l10n.t(
                'The outputs of the compressed model would be too far from those of the original.',
              ),
        allowed: { allowInaccurate: true },
      };
    default:
      return undefined;
  }
}

/** Whether a result that was refused is wanted all the same. */
async function askToWrite(question: string, detail: string): Promise<boolean> {
  const write = vscode.l10n.t('Write Anyway');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, write)) === write;
}

/** An engine that was killed could not clean up after itself: no half-written file stays behind. */
async function removeLeftovers(output: vscode.Uri): Promise<void> {
  const folder = vscode.Uri.joinPath(output, '..');
  const names = await vscode.workspace.fs.readDirectory(folder).then(
    (entries) => entries.map(([name]) => name),
    () => [],
  );
  for (const name of names) {
    if (!isTemporaryName(name, basename(output.fsPath))) continue;
    await vscode.workspace.fs.delete(vscode.Uri.joinPath(folder, name), { recursive: true });
  }
}

/** The one closing message. */
function tell(summary: string, file: vscode.Uri, source?: vscode.Uri): void {
  const showReport = vscode.l10n.t('Show Report');
  const compare = vscode.l10n.t('Compare');
  const reveal = vscode.l10n.t('Reveal in Explorer');
  const actions = source ? [showReport, compare, reveal] : [showReport, reveal];
  void vscode.window.showInformationMessage(summary, ...actions).then((choice) => {
    if (choice === showReport) void vscode.commands.executeCommand(COMMANDS.showReport);
    if (choice === compare)
      void vscode.commands.executeCommand(COMMANDS.compareModels, source, [source, file]);
    if (choice === reveal) void revealFile(file);
  });
}
