import * as vscode from 'vscode';
import type { DescribedCalibration, Engine } from '../../worker/engine';
import { engineText } from '../engineText';
import type { Failures } from '../failures';
import type { Models } from '../models';
import { basename } from '../paths';
import { wrapped } from '../wrapped';
import { type Calibration, requestOf } from './calibrations';
import { dataName, fitText, inputText, rangeText, samplesText } from './calibrationText';
import { createLabelsOption } from './labelsOption';
import { type ReadingOption, readingOptions } from './readingOptions';

interface Parts {
  readonly engine: Engine;
  readonly models: Models;
  readonly failures: Failures;
}

/**
 * Shows what data is like as a model will see it, and what can be set of how it is read. Resolves with the data as it is to
 * be used; undefined when it was closed.
 */
export type PreviewData = (
  model: vscode.Uri,
  start: Calibration,
) => Promise<Calibration | 'back' | undefined>;

/** What was read, or why it can't be, as a sentence. */
type Look = { readonly value: DescribedCalibration } | { readonly message: string };

interface PreviewItem extends vscode.QuickPickItem {
  /** What the list is kept at when it is shown again. */
  readonly key: string;
  readonly does?: 'use' | ReadingOption;
}

/** Characters of an entry that are in sight beside the name of its group. */
const LINE = 64;

export function createPreviewData({ engine, models, failures }: Parts): PreviewData {
  const labelsOption = createLabelsOption({ engine, models, failures });
  return async (model, start) => {
    let calibration = start;
    let key = 'use';
    for (;;) {
      const now = calibration;
      const ask = (signal: AbortSignal): Promise<Look> => {
        const request = { ...models.request(model), calibration: requestOf(now) };
        return failures.orSentence(engine.describeCalibration(request, { signal }));
      };
      const lines = (look: Look | undefined) => {
        const described = look && 'value' in look ? look.value : undefined;
        return itemsOf(now, look, labelsOption(model, now, described), failures);
      };
      const chosen = await show(model, now, ask, lines, key);
      if (chosen === 'back' || !chosen) return chosen;
      if ('fit' in chosen) {
        const { fit, heldBack, labels } = chosen;
        const isFit = labels?.kind === 'fit';
        return { ...now, samples: fit + heldBack, heldBack, labels: isFit ? now.labels : undefined };
      }
      key = chosen.key;
      const reading = await chosen.ask();
      if (reading) calibration = { ...now, ...reading };
    }
  };
}

/** One round: what it is like, until something is chosen. */
async function show(
  model: vscode.Uri,
  calibration: Calibration,
  ask: (signal: AbortSignal) => Promise<Look>,
  lines: (look: Look | undefined) => readonly PreviewItem[],
  key: string,
): Promise<DescribedCalibration | ReadingOption | 'back' | undefined> {
  const abort = new AbortController();
  const pick = vscode.window.createQuickPick<PreviewItem>();
  pick.title = vscode.l10n.t('{0} for {1}', dataName(calibration), basename(model.path));
  pick.step = 2;
  pick.totalSteps = 2;
  pick.placeholder = vscode.l10n.t('What the model will see; choose a line to change how it is read');
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.ignoreFocusOut = true;
  pick.buttons = [vscode.QuickInputButtons.Back];
  let look: Look | undefined;
  const place = () => {
    pick.items = lines(look);
    const same = pick.items.find((item) => item.key === key);
    if (same) pick.activeItems = [same];
  };
  const chosen = new Promise<DescribedCalibration | ReadingOption | 'back' | undefined>((resolve, reject) => {
    pick.onDidAccept(() => {
      const does = pick.activeItems[0]?.does;
      if (does === 'use' && look && 'value' in look) resolve(look.value);
      else if (does && does !== 'use') resolve(does);
    });
    pick.onDidTriggerButton(() => resolve('back'));
    pick.onDidHide(() => resolve(undefined));
    ask(abort.signal).then((answer) => {
      if (abort.signal.aborted) return;
      look = answer;
      pick.busy = false;
      place();
    }, reject);
  });
  pick.busy = true;
  place();
  pick.show();
  try {
    return await chosen;
  } finally {
    abort.abort(new DOMException('The choice is made.', 'AbortError'));
    pick.dispose();
  }
}

function itemsOf(
  calibration: Calibration,
  look: Look | undefined,
  labels: ReadingOption,
  failures: Pick<Failures, 'sentence'>,
): readonly PreviewItem[] {
  const items: PreviewItem[] = [];
  const separator = (label: string) =>
    items.push({ label, key: label, kind: vscode.QuickPickItemKind.Separator });
  const options = readingOptions(calibration, look && 'value' in look ? look.value : undefined);
  const fact = (icon: string, label: string, description: string, does?: ReadingOption) =>
    items.push({ label: `$(${icon}) ${label}`, description, key: label, ...(does ? { does } : {}) });
  /** A sentence over as many lines as it takes; choosing it leads to what it is mostly about. */
  const sentence = (icon: string, text: string, does = options[1]!) => {
    for (const [i, line] of wrapped(text, LINE).entries()) {
      const shown = i === 0 ? icon : 'blank';
      items.push({
        label: `$(${shown}) ${line}`,
        key: text,
        does,
        alwaysShow: true,
      });
    }
  };

  if (!look) items.push({ label: `$(loading~spin) ${vscode.l10n.t('Reading samples…')}`, key: 'reading' });
  else if ('message' in look) sentence('error', look.message.replaceAll('$(', '\\$('));
  else {
    const { value } = look;
    const unfit = value.labels?.kind === 'unfit' ? value.labels.reason : undefined;
    const use =
      unfit === undefined ? vscode.l10n.t('Use This Data') : vscode.l10n.t('Use This Data without Labels');
    items.push({
      label: `$(check) ${use}`,
      description: samplesText(value.fit + value.heldBack, value.heldBack),
      key: 'use',
      does: 'use',
      alwaysShow: true,
    });
    if (value.warnings.length > 0 || unfit !== undefined) separator(vscode.l10n.t('What looks wrong'));
    for (const warning of value.warnings) sentence('warning', engineText(warning).replaceAll('$(', '\\$('));
    if (unfit !== undefined) sentence('warning', failures.sentence(unfit).replaceAll('$(', '\\$('), labels);
    separator(vscode.l10n.t('What the model gets'));
    for (const input of value.inputs) {
      fact('symbol-field', input.name, `${inputText(input)} · ${rangeText(input.range)}`, options[1]);
      if (input.channels.length < 2) continue;
      for (const [c, range] of input.channels.entries())
        fact('blank', vscode.l10n.t('channel {0} of {1}', c, input.name), rangeText(range), options[1]);
    }
    const fit = fitText(value);
    if (fit) fact('pulse', vscode.l10n.t('The first BatchNormalization'), fit, options[1]);
    const sizes = Object.entries({ ...value.sizes, ...value.assumed });
    if (sizes.length > 0) {
      const text = sizes.map(([name, size]) => `${name} = ${size}`).join(', ');
      fact('symbol-ruler', vscode.l10n.t('Sizes of open dimensions'), text);
    }
  }
  separator(vscode.l10n.t('What it shows'));
  fact(labels.icon, labels.label, labels.value, labels);
  separator(vscode.l10n.t('How it is read'));
  for (const option of options) fact(option.icon, option.label, option.value, option);
  return items;
}
