import * as vscode from 'vscode';
import { compressedPath } from '../../core/compress/compressedPath';
import { parseTarget, printTarget, type Target } from '../../core/compress/plan';
import { ModelError, type ModelErrorCode } from '../../core/onnx/modelError';
import { TOOLS } from '../../ids';
import type { Engine } from '../../worker/engine';
import type { Compress } from '../compress';
import { nameOf } from '../fileNames';
import type { Models } from '../models';
import { suggestionEnergy } from '../suggestions';
import { analysisAnswer, goalAnswer, reportAnswer, suggestionAnswer } from './answers';
import { ToolError } from './toolError';
import { existingFile, exists, newFile } from './toolFiles';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly compress: Compress;
}

export interface AnalyzeInput {
  readonly file: string;
  readonly maxLayers?: number;
  readonly dimensions?: Readonly<Record<string, number>>;
}

export interface SuggestInput {
  readonly file: string;
  readonly goal?: string;
  readonly energy?: number;
  readonly maxLayers?: number;
}

export interface CompressInput {
  readonly file: string;
  readonly goal?: string;
  readonly plan?: string;
  readonly output?: string;
  readonly overwrite?: boolean;
}

/** The tools by name, registered where VS Code knows of language models. */
export interface LanguageModelTools extends vscode.Disposable {
  readonly analyze: vscode.LanguageModelTool<AnalyzeInput>;
  readonly suggest: vscode.LanguageModelTool<SuggestInput>;
  readonly compress: vscode.LanguageModelTool<CompressInput>;
}

const MODELS = '**/*.{onnx,safetensors,pt,pth,ckpt}';
const GOALS =
  'Goals are parameters=S, macs=S, bytes=S, error=E, ratio=S, energy=E, evbmf=W and rank=N, for example parameters=0.5.';

export function createLanguageModelTools({ engine, models, compress }: Parts): LanguageModelTools {
  const tools: Omit<LanguageModelTools, 'dispose'> = {
    analyze: {
      prepareInvocation: ({ input }) => ({
        invocationMessage: vscode.l10n.t('Reading {0}', lastName(input.file)),
      }),
      invoke: ({ input }, token) =>
        answer(token, async (signal) => {
          const request = models.request(await existingFile(input.file, 'model file', MODELS));
          const dims = { ...request.dims, ...input.dimensions };
          return analysisAnswer(await engine.analyze({ ...request, dims }, { signal }), input.maxLayers);
        }),
    },
    suggest: {
      prepareInvocation: ({ input }) => ({
        invocationMessage: vscode.l10n.t('Choosing ranks for {0}', lastName(input.file)),
      }),
      invoke: ({ input }, token) =>
        answer(token, async (signal) => {
          const uri = await existingFile(input.file, 'model file', MODELS);
          const request = { ...models.request(uri), method: 'auto' as const };
          if (input.goal !== undefined) {
            const [preview] = await engine.preview({ ...request, targets: [goalOf(input.goal)] }, { signal });
            return goalAnswer(request.path, preview!, input.maxLayers);
          }
          const energy = input.energy ?? suggestionEnergy();
          const analysis = await engine.suggest({ ...request, energy }, { signal });
          return suggestionAnswer(analysis, energy, input.maxLayers);
        }),
    },
    compress: {
      // Always asks: what can't be done now may be possible by the time it is tried.
      prepareInvocation: async ({ input }) => ({
        invocationMessage: vscode.l10n.t('Compressing {0}', lastName(input.file)),
        confirmationMessages: await confirmation(input),
      }),
      invoke: ({ input }, token) =>
        answer(token, async (signal) => {
          const { source, way, output } = await jobOf(input);
          if (!input.overwrite && (await exists(output))) throw taken(output);
          const [report] = await compress([source], {
            ...way,
            output: { uri: output, overwrite: input.overwrite === true },
            signal,
          });
          if (!report) throw new ToolError('Nothing was written.', 'Ask the user how to go on.');
          return reportAnswer(report);
        }),
    },
  };
  // Editors made of VS Code may have left language models away.
  const registrations = vscode.lm?.registerTool
    ? (['analyze', 'suggest', 'compress'] as const).map((name) =>
        vscode.lm.registerTool(TOOLS[name], tools[name] as vscode.LanguageModelTool<unknown>),
      )
    : [];
  return { ...tools, dispose: () => vscode.Disposable.from(...registrations).dispose() };
}

/** What the compress tool is asked for, made sense of. */
interface Job {
  readonly source: vscode.Uri;
  readonly way: { readonly target: Target } | { readonly plan: vscode.Uri };
  readonly output: vscode.Uri;
}

async function jobOf({ file, goal, plan, output }: CompressInput): Promise<Job> {
  const source = await existingFile(file, 'ONNX file', '**/*.onnx');
  if (goal !== undefined && plan !== undefined) {
    throw new ToolError('A goal and a plan exclude each other.', 'Call again with one of them.');
  }
  return {
    source,
    way:
      plan === undefined
        ? { target: goalOf(goal ?? 'parameters=0.5') }
        : { plan: await existingFile(plan, 'plan', '**/*.ranks.json') },
    output:
      output === undefined
        ? source.with({ path: compressedPath(source.path) })
        : await newFile(output, source),
  };
}

/** What the user is asked: which file will be written, from what and how. */
async function confirmation(input: CompressInput): Promise<vscode.LanguageModelToolConfirmationMessages> {
  const title = vscode.l10n.t('Compress {0}', lastName(input.file));
  const job = await jobOf(input).catch((error: Error) => error);
  if (job instanceof Error)
    return { title, message: vscode.l10n.t('This will be refused: {0}', job.message) };
  const { source, way, output } = job;
  const how =
    'plan' in way
      ? vscode.l10n.t(
          '{0} is compressed by the plan {1} and stays as it is.',
          nameOf(source),
          nameOf(way.plan),
        )
      : vscode.l10n.t(
          '{0} is compressed for the goal {1} and stays as it is.',
          nameOf(source),
          printTarget(way.target),
        );
  const path = vscode.workspace.asRelativePath(output);
  const written = !(await exists(output))
    ? vscode.l10n.t('The file {0} will be written.', path)
    : input.overwrite
      ? vscode.l10n.t('The file {0} exists and will be replaced.', path)
      : vscode.l10n.t('The file {0} exists and will not be replaced.', path);
  return { title, message: `${written} ${how}` };
}

function goalOf(text: string): Target {
  const target = parseTarget(text);
  if (target) return target;
  throw new ToolError(`${JSON.stringify(text)} is no goal.`, GOALS);
}

function lastName(path: unknown): string {
  return String(path).split(/[\\/]/).at(-1) ?? '';
}

/** A text as the result of a tool; refusals say what to do next. */
async function answer(
  token: vscode.CancellationToken,
  work: (signal: AbortSignal) => Promise<string>,
): Promise<vscode.LanguageModelToolResult> {
  const abort = new AbortController();
  const cancel = () => abort.abort(new DOMException('The call was cancelled.', 'AbortError'));
  if (token.isCancellationRequested) cancel();
  const subscription = token.onCancellationRequested(cancel);
  try {
    const text = await work(abort.signal);
    return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
  } catch (error) {
    if (error instanceof ModelError) throw new ToolError(error.message, nextAfter(error.code));
    if (error instanceof Error && error.name === 'AbortError') throw new vscode.CancellationError();
    throw error;
  } finally {
    subscription.dispose();
  }
}

function taken(output: vscode.Uri): ToolError {
  return new ToolError(
    `${vscode.workspace.asRelativePath(output)} exists.`,
    'Ask the user whether it may be replaced, then call again with overwrite: true, or with another output.',
  );
}

/** What a model can do about a refusal. */
function nextAfter(code: ModelErrorCode): string {
  switch (code) {
    case 'target-exists':
      return 'Ask the user whether it may be replaced, then call again with overwrite: true, or with another output.';
    case 'unreachable-target':
    case 'inaccurate':
      return 'Call ranksmith_suggest_ranks with milder goals to see what can be reached.';
    case 'nothing-to-do':
      return 'Tell the user that low-rank decomposition does not help here, or try a stronger goal.';
    case 'external-missing':
      return 'Ask the user for the data file: it belongs into the folder of the model.';
    case 'unsupported-format':
      return 'Only ONNX files can be compressed; analysing a checkpoint works.';
    case 'bad-plan':
      return 'Compress for a goal instead, or ask the user to mend the plan.';
    case 'engine-stopped':
      return 'Call again once; if it stops again, tell the user that memory may be short.';
    default:
      return 'Tell the user; calling again with the same input gives the same answer.';
  }
}
