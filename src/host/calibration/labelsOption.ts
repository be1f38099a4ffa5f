import * as vscode from 'vscode';
import { NO_PREPROCESSING } from '../../worker/calibration/preprocessing';
import type { DescribedCalibration, Engine } from '../../worker/engine';
import type { Failures } from '../failures';
import type { Models } from '../models';
import { type Calibration, requestOf } from './calibrations';
import { dataName, labelsText } from './calibrationText';
import { findLabels } from './findLabels';
import { pickAsRead } from './pickAsRead';
import type { ReadingOption } from './readingOptions';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
}

/** The labels that go with data, as something that can be set of it. */
export type LabelsOption = (
  model: vscode.Uri,
  calibration: Calibration,
  described: DescribedCalibration | undefined,
) => ReadingOption;

interface LabelsItem extends vscode.QuickPickItem {
  readonly chosen?: 'none' | 'file' | vscode.Uri;
}

/** Files that are looked into: the model has to be opened for each. */
const MOST_READ = 8;

export function createLabelsOption({ engine, models, failures }: Parts): LabelsOption {
  /** What a file of labels says of the data, or why it does not belong to it. */
  async function contentOf(
    model: vscode.Uri,
    { uri }: Calibration,
    labels: vscode.Uri,
    signal: AbortSignal,
  ): Promise<string> {
    const calibration = requestOf({ uri, labels, ...AS_LITTLE_AS_POSSIBLE });
    const request = { ...models.request(model), calibration };
    const outcome = await failures.orSentence(engine.describeCalibration(request, { signal }));
    if (signal.aborted) return '';
    if ('message' in outcome) return refused(outcome.message);
    const found = outcome.value.labels;
    if (!found) return '';
    if (found.kind === 'unfit') return refused(failures.sentence(found.reason));
    const { right: _, ...rest } = found;
    return labelsText(rest);
  }

  async function ask(model: vscode.Uri, calibration: Calibration): Promise<vscode.Uri | null | undefined> {
    const found = await findLabels(model, calibration.uri);
    const known = new Map<vscode.Uri, string>();
    const chosen = await pickAsRead<LabelsItem>({
      title: vscode.l10n.t('Labels for {0}', dataName(calibration)),
      placeholder: vscode.l10n.t(
        'The class of each sample, in their order, numbered from 0 as the model does',
      ),
      items: () => itemsOf(calibration.labels, found, known),
      isChoice: (item) => item.chosen !== undefined,
      async look(show, signal) {
        for (const each of found.slice(0, MOST_READ)) {
          known.set(each, await contentOf(model, calibration, each, signal));
          show();
        }
      },
    });
    if (chosen?.chosen === 'none') return null;
    return chosen?.chosen === 'file' ? askFile(calibration) : chosen?.chosen;
  }

  return (model, calibration, described) => {
    const { labels } = calibration;
    const said = described?.labels ? ` · ${labelsText(described.labels)}` : '';
    return {
      key: 'labels',
      icon: 'tag',
      label: vscode.l10n.t('Labels'),
      value: labels
        ? `${dataName({ uri: labels })}${said}`
        : vscode.l10n.t('none; with them right answers are counted'),
      async ask() {
        const wanted = await ask(model, calibration);
        return wanted === undefined ? undefined : { labels: wanted ?? undefined };
      },
    };
  };
}

const ICONS = { current: 'check', other: 'tag' } as const;

const AS_LITTLE_AS_POSSIBLE = { preprocessing: NO_PREPROCESSING, limit: 2, samples: 0, heldBack: 0 };

function refused(message: string): string {
  return `$(circle-slash) ${message.replaceAll('$(', '\\$(')}`;
}

async function askFile({ uri }: Calibration): Promise<vscode.Uri | undefined> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Labels for {0}', dataName({ uri })),
      openLabel: vscode.l10n.t('Use'),
      defaultUri: vscode.Uri.joinPath(uri, '..'),
      filters: { [vscode.l10n.t('Arrays')]: ['npy'], [vscode.l10n.t('All files')]: ['*'] },
    })) ?? [];
  return file;
}

function itemsOf(
  current: vscode.Uri | undefined,
  found: readonly vscode.Uri[],
  known: ReadonlyMap<vscode.Uri, string>,
): readonly LabelsItem[] {
  const item = (uri: vscode.Uri): LabelsItem => {
    const icon = uri.toString() === current?.toString() ? ICONS.current : ICONS.other;
    const [name, place] = [dataName({ uri }), vscode.workspace.asRelativePath(uri)];
    return {
      label: `$(${icon}) ${name}`,
      description: known.get(uri) ?? '',
      ...(place === name ? {} : { detail: place }),
      chosen: uri,
    };
  };
  const isAmong = found.some((uri) => uri.toString() === current?.toString());
  return [
    ...(current && !isAmong ? [item(current)] : []),
    ...found.map(item),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    {
      label: `$(file) ${vscode.l10n.t('Choose a File…')}`,
      description: vscode.l10n.t('.npy, one whole number for each sample'),
      chosen: 'file',
      alwaysShow: true,
    },
    {
      label: `$(circle-slash) ${vscode.l10n.t('None')}`,
      description: vscode.l10n.t('only how far outputs move is told'),
      chosen: 'none',
      alwaysShow: true,
    },
  ];
}
