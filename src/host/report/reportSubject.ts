import * as vscode from 'vscode';
import type { Subject } from '../../../webview/messages';
import type { Analysis } from '../../core/compress/analysis';
import {
  type Basis,
  overviewOfAnalysis,
  overviewOfReport,
  overviewOfReview,
} from '../../core/compress/overview';
import type { PlanFile } from '../../core/compress/planFile';
import type { PlanReview } from '../../core/compress/planReview';
import type { CompressionReport } from '../../core/compress/report';
import type { Engine } from '../../worker/engine';
import { enginePath, fileUri } from '../enginePath';
import type { Failures } from '../failures';
import type { Model, Models } from '../models';
import type { ModelPlan, PlanFiles } from '../plans/planFiles';
import { planUri } from '../plans/planUri';

/** What the report pages show: one model at a time, whoever chose it. */
export interface ReportSubject extends vscode.Disposable {
  /** As it was last told; null where nothing was chosen, undefined while it is being looked into. */
  current(): Subject | null | undefined;
  /** Why nothing can be shown, as a sentence. */
  problem(): string | undefined;
  /** The report behind measured figures, while those are shown. */
  report(): CompressionReport | undefined;
  /** The plan behind the model that is shown. */
  plan(): PlanFile | undefined;
  /** The model whose layers are shown; undefined where nothing was chosen. */
  model(): vscode.Uri | undefined;
  /** Shows another model, or another layer of it. */
  choose(model: vscode.Uri, layer?: string): void;
  /** Shows a compression that was just carried out. */
  measured(report: CompressionReport): void;
  setBasis(basis: Basis): void;
  select(layer: string): void;
  /** Nothing is looked into before somebody looks. */
  look(): void;
  readonly onDidChange: vscode.Event<Subject | null>;
  /** Only the selected layer changed. */
  readonly onDidSelect: vscode.Event<string | null>;
}

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly planFiles: PlanFiles;
  readonly failures: Failures;
  /** The last report of an earlier session. */
  readonly last: CompressionReport | null;
}

/** Reports of this session that are kept. */
const MOST_REPORTS = 8;

export function createReportSubject({ engine, models, planFiles, failures, last }: Parts): ReportSubject {
  const changed = new vscode.EventEmitter<Subject | null>();
  const selected = new vscode.EventEmitter<string | null>();
  /** The last first. */
  const reports: CompressionReport[] = last ? [last] : [];
  let wanted: vscode.Uri | undefined = last ? fileUri(last.original.file) : undefined;
  let wish: Basis | undefined = last ? 'measured' : undefined;
  let layer: string | null = null;
  let shown: Subject | null | undefined;
  let shownReport: CompressionReport | undefined;
  let shownPlan: PlanFile | undefined;
  let problem: string | undefined;
  let isLookedAt = false;
  let run: AbortController | undefined;

  const reportOf = (uri: vscode.Uri) => {
    const path = enginePath(uri);
    return reports.find(({ original, compressed }) => compressed.file === path || original.file === path);
  };

  function tell(subject: Subject | null, why?: string): void {
    shown = subject;
    problem = why;
    changed.fire(subject);
  }

  /** Looks into what is wanted, from what is there at once to what has to be measured. */
  async function refresh(): Promise<void> {
    run?.abort(new DOMException('Something else is wanted.', 'AbortError'));
    if (!isLookedAt) return;
    const mine = new AbortController();
    run = mine;
    const { signal } = mine;
    if (!wanted) return tell(null);
    const report = reportOf(wanted);
    const isResult = report !== undefined && report.compressed.file === enginePath(wanted);
    const model = await models.open(wanted);
    // A measured report stands by itself: the files may be gone.
    const state = await models.read(model);
    if (signal.aborted) return;
    const plan = isResult ? undefined : await planFiles.read(wanted);
    if (signal.aborted) return;
    const bases: Basis[] = [];
    if (state.kind === 'ready' && !plan?.parsed.plan) bases.push('none');
    if (state.kind === 'ready' && plan?.parsed.plan) bases.push('predicted');
    if (report) bases.push('measured');
    const usual = isResult ? 'measured' : bases[0];
    const basis = wish && bases.includes(wish) ? wish : usual;
    shownReport = basis === 'measured' ? report : undefined;
    shownPlan = plan?.parsed.plan;
    if (basis === 'measured' && report) return tell(measuredSubject(report, bases, model, plan));
    if (state.kind !== 'ready') return tell(null, state.kind === 'failed' ? state.message : undefined);
    const common = { bases, layer, plan: planKind(plan), verification: null } as const;
    const canCompress = state.analysis.format === 'onnx';
    const problems = [...state.analysis.problems, ...(plan?.parsed.problems ?? [])].map(
      ({ message }) => message,
    );
    if (!plan?.parsed.plan) {
      tell({
        ...common,
        overview: overviewOfAnalysis(state.analysis, enginePath(wanted)),
        canCompress,
        problems,
        isMeasured: state.suggestions === 'there',
        measuring: null,
      });
      return;
    }
    await review(
      state.analysis,
      wanted,
      plan,
      plan.parsed.plan,
      { ...common, canCompress, problems },
      signal,
    );
  }

  function measuredSubject(
    report: CompressionReport,
    bases: readonly Basis[],
    model: Model,
    plan: ModelPlan | undefined,
  ): Subject {
    const { layers, ...verification } = report;
    // A layer of the written file is a part of one of the original.
    const own = layers.find(({ name, nodes }) => name === layer || nodes?.includes(layer ?? ''));
    return {
      overview: overviewOfReport(report),
      bases,
      layer: own?.name ?? null,
      verification,
      canCompress: model.state.kind !== 'ready' || model.state.analysis.format === 'onnx',
      plan: planKind(plan),
      problems: [],
      isMeasured: false,
      measuring: null,
    };
  }

  async function review(
    analysis: Analysis,
    model: vscode.Uri,
    { uri }: ModelPlan,
    plan: PlanFile,
    common: Omit<Subject, 'overview' | 'isMeasured' | 'measuring'>,
    signal: AbortSignal,
  ): Promise<void> {
    const request = { ...models.request(model), plan };
    const show = (found: PlanReview, measuring: number | null) => {
      const of = { path: enginePath(uri), plan, review: found };
      const errors = found.remarks
        .filter(({ severity }) => severity === 'error')
        .map(({ message }) => message);
      tell({
        ...common,
        layer,
        overview: overviewOfReview(analysis, enginePath(model), of),
        problems: [...common.problems, ...new Set(errors)],
        isMeasured: found.isMeasured,
        measuring,
      });
    };
    const fail = (message: string) =>
      tell({
        ...common,
        overview: overviewOfAnalysis(analysis, enginePath(model)),
        bases: common.bases.map((each) => (each === 'predicted' ? 'none' : each)),
        problems: [...common.problems, message],
        isMeasured: false,
        measuring: null,
      });
    const first = await failures.orSentence(engine.review({ ...request, measure: false }, { signal }));
    if (signal.aborted) return;
    if ('message' in first) return fail(first.message);
    if (first.value.isMeasured) return show(first.value, null);
    show(first.value, 0);
    let percent = 0;
    const onProgress = ({ done }: { readonly done: number }) => {
      if (signal.aborted || Math.floor(20 * done) === percent) return;
      percent = Math.floor(20 * done);
      show(first.value, percent / 20);
    };
    const second = await failures.orSentence(
      engine.review({ ...request, measure: true }, { signal, onProgress }),
    );
    if (signal.aborted) return;
    if ('message' in second) fail(second.message);
    else show(second.value, null);
  }

  function isAbout(uri: vscode.Uri): boolean {
    return wanted !== undefined && uri.toString() === wanted.toString();
  }

  const subscriptions = vscode.Disposable.from(
    changed,
    selected,
    models.onDidChange((model) => {
      if (model && isAbout(model.uri) && shown !== undefined) void refresh();
    }),
    planFiles.onDidChange(({ uri }) => {
      if (!wanted || planUri(wanted).toString() !== uri.toString()) return;
      // What is planned is what one wants to see now.
      if (wish === 'measured') wish = undefined;
      void refresh();
    }),
  );

  return {
    current: () => shown,
    problem: () => problem,
    report: () => shownReport,
    plan: () => shownPlan,
    model: () => (shown ? fileUri(shown.overview.file) : wanted),
    onDidChange: changed.event,
    onDidSelect: selected.event,
    choose(model, wantedLayer) {
      const isOther = !isAbout(model);
      if (isOther) {
        wanted = model;
        wish = undefined;
        layer = wantedLayer ?? null;
        void refresh();
        return;
      }
      if (wantedLayer === undefined || wantedLayer === layer) return;
      layer = wantedLayer;
      if (shown) shown = { ...shown, layer };
      selected.fire(layer);
    },
    measured(report) {
      const others = reports.filter(({ compressed }) => compressed.file !== report.compressed.file);
      reports.splice(0, reports.length, report, ...others.slice(0, MOST_REPORTS - 1));
      wanted = fileUri(report.original.file);
      wish = 'measured';
      if (!report.layers.some(({ name }) => name === layer)) layer = null;
      void refresh();
    },
    setBasis(basis) {
      wish = basis;
      void refresh();
    },
    select(name) {
      if (name === layer) return;
      layer = name;
      if (shown) shown = { ...shown, layer };
      selected.fire(layer);
    },
    look() {
      if (isLookedAt) return;
      isLookedAt = true;
      void refresh();
    },
    dispose() {
      run?.abort(new DOMException('Closed.', 'AbortError'));
      subscriptions.dispose();
    },
  };
}

function planKind(plan: ModelPlan | undefined): Subject['plan'] {
  if (!plan) return 'none';
  const { plan: parsed } = plan.parsed;
  return parsed ? (parsed.calibration ? 'calibrated' : 'weights') : 'broken';
}
