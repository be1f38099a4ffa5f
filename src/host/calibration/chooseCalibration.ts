import * as vscode from 'vscode';
import { plural } from '../../core/counted';
import { formatNumber } from '../../core/format';
import { NO_PREPROCESSING } from '../../worker/calibration/preprocessing';
import type { Engine } from '../../worker/engine';
import { sampleCount } from '../counts';
import type { Failures } from '../failures';
import type { Models } from '../models';
import { basename } from '../paths';
import { type Calibration, type Calibrations, requestOf, USUAL_LIMIT } from './calibrations';
import { calibrationLine, dataName, preprocessingText } from './calibrationText';
import { type Candidate, findCandidates } from './findCandidates';
import { pickAsRead } from './pickAsRead';
import { createPreviewData } from './previewData';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
  readonly calibrations: Calibrations;
}

/**
 * Asks which data a model is calibrated on and how it is read, and remembers it. Resolves with what was chosen, null for
 * none; undefined where nothing was, and all stays as it was.
 */
export type ChooseCalibration = (
  model: vscode.Uri,
  how?: {
    /** Go straight to how this data is read. */
    readonly data?: vscode.Uri;
    /** What is offered as chosen, in the place of what was chosen for the model. */
    readonly current?: Calibration | null | undefined;
  },
) => Promise<Calibration | null | undefined>;

interface DataItem extends vscode.QuickPickItem {
  readonly chosen?: 'none' | 'file' | 'folder' | 'current' | Candidate;
}

export function createChooseCalibration({
  engine,
  models,
  failures,
  calibrations,
}: Parts): ChooseCalibration {
  const previewData = createPreviewData({ engine, models, failures });

  /** What there is to choose from; what each of it holds appears as it is read. */
  async function pickData(
    model: vscode.Uri,
    current: Calibration | null | undefined,
  ): Promise<DataItem['chosen']> {
    // In front of the list, so that what is first stays first.
    const found = await findCandidates(model);
    const known = new Map<Candidate, string>();
    const item = await pickAsRead<DataItem>({
      title: vscode.l10n.t('Calibration data for {0}', basename(model.path)),
      step: [1, 2],
      placeholder: vscode.l10n.t(
        'Samples that errors are measured on and factors are fitted to; no labels are needed',
      ),
      items: () => itemsOf(current, found, known),
      isChoice: ({ chosen }) => chosen !== undefined,
      async look(show, signal) {
        for (const candidate of found) {
          known.set(candidate, await contentOf(model, candidate, signal));
          show();
        }
      },
    });
    return item?.chosen;
  }

  /** What a candidate holds for the model, or why it does not suit it. */
  async function contentOf(model: vscode.Uri, { uri }: Candidate, signal: AbortSignal): Promise<string> {
    const calibration = { ...usual(uri), limit: 2 };
    const request = { ...models.request(model), calibration: requestOf(calibration) };
    const outcome = await failures.orSentence(engine.describeCalibration(request, { signal }));
    if (signal.aborted) return '';
    if ('message' in outcome) return `$(circle-slash) ${outcome.message.replaceAll('$(', '\\$(')}`;
    const { count, kind } = outcome.value;
    return kind === 'images'
      ? plural(count, vscode.l10n.t('1 picture'), vscode.l10n.t('{0} pictures', formatNumber(count)))
      : sampleCount(count);
  }

  async function choose(
    model: vscode.Uri,
    current: Calibration | null | undefined,
    data: vscode.Uri | undefined,
  ) {
    let given = data;
    for (;;) {
      const chosen = given ? undefined : await pickData(model, current);
      if (!given && chosen === undefined) return undefined;
      if (chosen === 'none') return null;
      const uri = given ?? (await uriOf(chosen!, model, current));
      given = undefined;
      if (!uri) continue;
      // What was said of the same data before holds still.
      const start = current && current.uri.toString() === uri.toString() ? current : usual(uri);
      const outcome = await previewData(model, start);
      if (outcome !== 'back') return outcome;
    }
  }

  return async (model, { data, current = calibrations.of(model) } = {}) => {
    const chosen = await choose(model, current, data);
    if (chosen !== undefined) await calibrations.set(model, chosen);
    return chosen;
  };
}

function usual(uri: vscode.Uri): Calibration {
  return { uri, preprocessing: NO_PREPROCESSING, limit: USUAL_LIMIT, samples: 0, heldBack: 0 };
}

async function uriOf(
  chosen: NonNullable<DataItem['chosen']>,
  model: vscode.Uri,
  current: Calibration | null | undefined,
): Promise<vscode.Uri | undefined> {
  if (typeof chosen === 'object') return chosen.uri;
  if (chosen === 'current') return current?.uri;
  const isFolder = chosen === 'folder';
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Calibration data for {0}', basename(model.path)),
      openLabel: vscode.l10n.t('Use'),
      defaultUri: vscode.Uri.joinPath(model, '..'),
      canSelectFiles: !isFolder,
      canSelectFolders: isFolder,
      ...(isFolder
        ? {}
        : {
            filters: {
              [vscode.l10n.t('Arrays, tensors and pictures')]: ['npy', 'npz', 'pb', 'png', 'jpg', 'jpeg'],
              [vscode.l10n.t('All files')]: ['*'],
            },
          }),
    })) ?? [];
  return uri;
}

const KIND_ICONS = { array: 'symbol-array', tensors: 'beaker', pictures: 'file-media' } as const;

function itemsOf(
  current: Calibration | null | undefined,
  found: readonly Candidate[],
  known: ReadonlyMap<Candidate, string>,
): readonly DataItem[] {
  const separator = (label: string): DataItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const items: DataItem[] = [];
  if (current) {
    items.push(separator(vscode.l10n.t('Chosen')), {
      label: `$(check) ${dataName(current)}`,
      description: withoutName(current),
      detail: preprocessingText(current.preprocessing) ?? vscode.workspace.asRelativePath(current.uri),
      chosen: 'current',
    });
  }
  const others = found.filter(({ uri }) => uri.toString() !== current?.uri.toString());
  if (others.length > 0) items.push(separator(vscode.l10n.t('Beside the model')));
  for (const candidate of others) {
    items.push({
      label: `$(${KIND_ICONS[candidate.kind]}) ${candidate.label}`,
      description: known.get(candidate) ?? '…',
      chosen: candidate,
    });
  }
  items.push(
    separator(vscode.l10n.t('Elsewhere')),
    {
      label: `$(file) ${vscode.l10n.t('Choose a File…')}`,
      description: vscode.l10n.t('.npy, .npz, a tensor (.pb) or a picture'),
      chosen: 'file',
      alwaysShow: true,
    },
    {
      label: `$(folder) ${vscode.l10n.t('Choose a Folder…')}`,
      description: vscode.l10n.t('of pictures, or of ONNX test data'),
      chosen: 'folder',
      alwaysShow: true,
    },
    separator(''),
    {
      label: `$(circle-slash) ${vscode.l10n.t('None')}`,
      description: `${current === null ? `${vscode.l10n.t('chosen')} · ` : ''}${vscode.l10n.t('random data, and the report says “uncalibrated”')}`,
      chosen: 'none',
      alwaysShow: true,
    },
  );
  return items;
}

/** The line of data behind its name: "48 samples, 6 of them held back", or "+ labels.npy · 48 samples, …". */
function withoutName(calibration: Calibration): string {
  return calibrationLine(calibration)
    .slice(dataName(calibration).length)
    .replace(/^ (· )?/, '');
}
