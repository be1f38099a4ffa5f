import * as vscode from 'vscode';
import { type ParsedPlan, parsePlanFile } from '../../core/compress/parsePlanFile';
import type { LayerPlan } from '../../core/compress/plan';
import type { PlanDocuments } from './planDocuments';
import { type PlanSource, planSource } from './planSource';
import { planUri } from './planUri';

/** The plan beside a model, as its text is now: that of the editor where it is open, else that of the file. */
export interface ModelPlan {
  readonly uri: vscode.Uri;
  readonly parsed: ParsedPlan;
  /** By layer; while the text has problems, as they were when it last had none. */
  readonly entries: ReadonlyMap<string, LayerPlan>;
  /** Whether the text is not that of the file. */
  readonly isDirty: boolean;
}

/** The plans beside the models, open or not. */
export interface PlanFiles extends vscode.Disposable {
  /** As it was last read; undefined where there is none. What was never read is, and arrives with the event. */
  of(model: vscode.Uri): ModelPlan | undefined;
  /** As it is now; that beside the model, or the one that is named. */
  read(model: vscode.Uri, plan?: vscode.Uri): Promise<ModelPlan | undefined>;
  readonly onDidChange: vscode.Event<PlanChange>;
}

/** What is known of a plan changed. */
export interface PlanChange {
  /** Of the plan. */
  readonly uri: vscode.Uri;
  /** Names of the layers whose entries changed, came or went. */
  readonly layers: ReadonlySet<string>;
  /** Whether more than entries changed: the plan came or went, or has problems where it had none, or no more. */
  readonly isOther: boolean;
}

/** Keystrokes and file events come in bursts; a row may lag behind by as much. */
const QUIET_MS = 100;

export function createPlanFiles(plans: PlanDocuments): PlanFiles {
  const changed = new vscode.EventEmitter<PlanChange>();
  /** What was last read, by the address of the plan; undefined where there is none. */
  const known = new Map<string, ModelPlan | undefined>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  async function read(uri: vscode.Uri): Promise<ModelPlan | undefined> {
    const key = uri.toString();
    const found = await planSource(uri);
    const before = known.get(key);
    const plan = found && planOf(uri, found, before);
    known.set(key, plan);
    const layers = differences(before?.entries ?? new Map(), plan?.entries ?? new Map());
    const isOther = stateOf(before) !== stateOf(plan);
    if (isOther || layers.size > 0) changed.fire({ uri, layers, isOther });
    return plan;
  }

  function again(uri: vscode.Uri): void {
    const key = uri.toString();
    if (!known.has(key)) return;
    clearTimeout(timers.get(key));
    timers.set(
      key,
      setTimeout(() => void read(uri), QUIET_MS),
    );
  }

  const watcher = vscode.workspace.createFileSystemWatcher('**/*.ranks.json');
  const subscriptions = vscode.Disposable.from(
    changed,
    watcher,
    watcher.onDidCreate(again),
    watcher.onDidChange(again),
    watcher.onDidDelete(again),
    plans.onDidChange(({ document }) => again(document.uri)),
    plans.onDidClose(({ uri }) => again(uri)),
  );
  return {
    onDidChange: changed.event,
    of(model) {
      const uri = planUri(model);
      const key = uri.toString();
      if (!known.has(key)) {
        known.set(key, undefined);
        void read(uri);
      }
      return known.get(key);
    },
    read: (model, plan = planUri(model)) => read(plan),
    dispose() {
      for (const timer of timers.values()) clearTimeout(timer);
      subscriptions.dispose();
    },
  };
}

function planOf(uri: vscode.Uri, { text, isDirty }: PlanSource, before: ModelPlan | undefined): ModelPlan {
  const parsed = parsePlanFile(text);
  const entries = parsed.plan
    ? new Map(parsed.plan.layers.map((each) => [each.layer, each]))
    : (before?.entries ?? new Map());
  return { uri, parsed, entries, isDirty };
}

function stateOf(plan: ModelPlan | undefined): 'none' | 'broken' | 'good' {
  if (!plan) return 'none';
  return plan.parsed.plan ? 'good' : 'broken';
}

type Entries = ReadonlyMap<string, LayerPlan>;

function differences(a: Entries, b: Entries): ReadonlySet<string> {
  const same = (name: string) => JSON.stringify(a.get(name)) === JSON.stringify(b.get(name));
  return new Set([...a.keys(), ...b.keys()].filter((name) => !same(name)));
}
