import * as vscode from 'vscode';
import { formatNumber } from '../../core/format';
import { ModelError } from '../../core/onnx/modelError';
import type { CalibrationDescription, InputDescription } from '../../worker/calibration/description';
import { type Preprocessing, parsePreprocessing, printScale } from '../../worker/calibration/preprocessing';
import { type Calibration, USUAL_LIMIT } from './calibrations';
import { normalisationText, scaleText } from './calibrationText';

/** How data is read, and what labels go with it, as somebody may change it. */
export type Reading = Pick<Calibration, 'preprocessing' | 'limit' | 'labels'>;

/** Something of how data is read: what it is now, and how to ask for something else (undefined: it stays). */
export interface ReadingOption {
  readonly key: string;
  readonly icon: string;
  readonly label: string;
  readonly value: string;
  ask(): Promise<Partial<Reading> | undefined>;
}

/**
 * What can be set of how data is read, as far as it means anything for this data.
 *
 * @param description undefined where the data could not be read
 */
export function readingOptions(
  reading: Reading,
  description: CalibrationDescription | undefined,
): readonly ReadingOption[] {
  const { preprocessing, limit } = reading;
  const { image } = preprocessing;
  const inputs = description?.inputs.filter(({ type }) => /^(float|double|bfloat)/.test(type)) ?? [];
  const own = inputs.find(({ name }) => name === preprocessing.input) ?? inputs[0];
  const withPreprocessing = (changed: Partial<Preprocessing>): Partial<Reading> => ({
    preprocessing: { ...preprocessing, ...changed },
  });
  const withImage = (changed: Partial<Preprocessing['image']>) =>
    withPreprocessing({ image: { ...image, ...changed } });

  const options: ReadingOption[] = [
    {
      key: 'scale',
      icon: 'arrow-both',
      label: vscode.l10n.t('Scale'),
      value: scaleText(preprocessing),
      ask: async () => {
        const scale = await askScale(preprocessing);
        if (scale === undefined) return undefined;
        const { scale: _, ...rest } = preprocessing;
        return { preprocessing: scale === null ? rest : { ...rest, scale } };
      },
    },
    {
      key: 'normalisation',
      icon: 'symbol-number',
      label: vscode.l10n.t('Mean and standard deviation'),
      value: normalisationText(preprocessing),
      ask: async () => {
        const chosen = await askNormalisation(preprocessing, own);
        return chosen && withPreprocessing(chosen);
      },
    },
  ];
  if (inputs.length > 1) {
    options.push({
      key: 'input',
      icon: 'symbol-parameter',
      label: vscode.l10n.t('Input they are for'),
      value: preprocessing.input ?? vscode.l10n.t('found out'),
      ask: async () => {
        const names = inputs.map(({ name }) => name);
        const input = await pick(
          vscode.l10n.t('The input that scale, mean and standard deviation are for'),
          names,
        );
        return input === undefined ? undefined : withPreprocessing({ input });
      },
    });
  }
  if (description?.kind === 'images') {
    const fits = { crop: vscode.l10n.t('cut out of the middle'), stretch: vscode.l10n.t('stretched') };
    const layouts = { auto: vscode.l10n.t('found out'), nchw: 'N C H W', nhwc: 'N H W C' };
    const channels = { rgb: 'RGB', bgr: 'BGR' };
    options.push(
      {
        key: 'fit',
        icon: 'screen-full',
        label: vscode.l10n.t('Size'),
        value: fits[image.fit],
        ask: async () => {
          const fit = await pickKey(vscode.l10n.t('How pictures are brought to the size of the input'), fits);
          return fit && withImage({ fit });
        },
      },
      {
        key: 'channels',
        icon: 'symbol-color',
        label: vscode.l10n.t('Colours'),
        value: channels[image.channels],
        ask: async () => {
          const order = await pickKey(vscode.l10n.t('The order of the colours'), channels);
          return order && withImage({ channels: order });
        },
      },
      {
        key: 'layout',
        icon: 'layout',
        label: vscode.l10n.t('Axes'),
        value: layouts[image.layout],
        ask: async () => {
          const layout = await pickKey(vscode.l10n.t('The axes of the input'), layouts);
          return layout && withImage({ layout });
        },
      },
    );
  }
  options.push({
    key: 'limit',
    icon: 'list-ordered',
    label: vscode.l10n.t('Samples'),
    value: vscode.l10n.t('at most {0}', formatNumber(limit)),
    ask: async () => {
      const text = await vscode.window.showInputBox({
        title: vscode.l10n.t('The most samples that are used'),
        prompt: vscode.l10n.t('One of eight is held back to measure the output error on. More take longer.'),
        value: String(limit),
        placeHolder: String(USUAL_LIMIT),
        ignoreFocusOut: true,
        validateInput: (input) =>
          /^\s*\d+\s*$/.test(input) && Number(input) >= 2 && Number(input) <= 1e6
            ? undefined
            : vscode.l10n.t('A whole number from 2 to 1,000,000 is needed.'),
      });
      return text === undefined ? undefined : { limit: Number(text) };
    },
  });
  return options;
}

/** null: as usual. */
async function askScale({ scale }: Preprocessing): Promise<number | null | undefined> {
  const items = [
    { label: vscode.l10n.t('As usual'), description: scaleText({}), scale: null },
    { label: '1/255', description: vscode.l10n.t('bytes to 0 … 1'), scale: 1 / 255 },
    { label: vscode.l10n.t('None'), description: vscode.l10n.t('as it is stored, uint8 too'), scale: 1 },
    { label: vscode.l10n.t('Another Factor…'), scale: undefined },
  ] as const;
  const item = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('What stored values are multiplied by, in front of mean and standard deviation'),
    ignoreFocusOut: true,
  });
  if (!item || item.scale !== undefined) return item?.scale;
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('What stored values are multiplied by'),
    value: printScale(scale ?? 1 / 255),
    prompt: vscode.l10n.t('A number above 0, or a fraction like 1/255.'),
    ignoreFocusOut: true,
    validateInput: (input) =>
      isReadable(() => parsePreprocessing({ scale: input }))
        ? undefined
        : vscode.l10n.t('A number above 0 is needed, or a fraction like 1/255.'),
  });
  return text === undefined ? undefined : parsePreprocessing({ scale: text }).scale;
}

type Normalisation = Pick<Preprocessing, 'mean' | 'std'>;

async function askNormalisation(
  now: Preprocessing,
  input: InputDescription | undefined,
): Promise<Normalisation | undefined> {
  const known = (label: string, mean: readonly number[], std: readonly number[]) => ({
    label,
    description: normalisationText({ ...now, mean, std }),
    normalisation: { mean, std },
  });
  const measured = input && ownStatistics(now, input);
  const items = [
    { label: vscode.l10n.t('None'), description: '', normalisation: { mean: [], std: [] } },
    known(vscode.l10n.t('To −1 … 1, from 0 … 1'), [0.5], [0.5]),
    ...(input?.channels.length === 3
      ? [known(vscode.l10n.t('As for ImageNet'), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
      : []),
    ...(measured
      ? [
          known(
            vscode.l10n.t('To mean 0 and standard deviation 1, by this data'),
            measured.mean,
            measured.std,
          ),
        ]
      : []),
    { label: vscode.l10n.t('By Hand…'), description: '', normalisation: undefined },
  ];
  const item = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Mean and standard deviation that the model was trained with'),
    placeHolder: vscode.l10n.t('The model gets (value × scale − mean) / standard deviation'),
    ignoreFocusOut: true,
  });
  if (!item || item.normalisation) return item?.normalisation;
  const channels = input?.channels.length ?? 0;
  const mean = await askNumbers('mean', now.mean, channels);
  if (!mean) return undefined;
  const std = await askNumbers('std', now.std, channels, mean);
  return std && { mean, std };
}

/** Asks for one of both; `mean` is what was said of the other before. */
async function askNumbers(
  kind: 'mean' | 'std',
  now: readonly number[],
  channels: number,
  mean: readonly number[] = [],
): Promise<readonly number[] | undefined> {
  const isMean = kind === 'mean';
  const parse = (text: string) => (text.trim() === '' ? [] : parsePreprocessing({ [kind]: text })[kind]);
  const text = await vscode.window.showInputBox({
    title: isMean ? vscode.l10n.t('Mean (1 of 2)') : vscode.l10n.t('Standard deviation (2 of 2)'),
    value: now.join(', '),
    prompt: vscode.l10n.t('One number, or one per channel with commas between them. Empty: none.'),
    placeHolder: isMean ? '0.485, 0.456, 0.406' : '0.229, 0.224, 0.225',
    ignoreFocusOut: true,
    validateInput(each) {
      if (!isReadable(() => parse(each))) {
        return isMean
          ? vscode.l10n.t('Numbers are needed, with commas between them.')
          : vscode.l10n.t('Numbers above 0 are needed, with commas between them.');
      }
      const wanted = mean.length > 1 ? mean.length : channels;
      const count = parse(each).length;
      return count > 1 && wanted > 1 && count !== wanted
        ? vscode.l10n.t('One number is needed, or {0}: one for each channel.', wanted)
        : undefined;
    },
  });
  return text === undefined ? undefined : parse(text);
}

/** What brings this data to mean 0 and standard deviation 1: its own, from in front of what is done to it now. */
function ownStatistics(
  { mean, std }: Preprocessing,
  { channels, range }: InputDescription,
): Normalisation | undefined {
  const ranges = channels.length > 1 ? channels : [range];
  const before = ranges.map((each, c) => {
    const [m, s] = [mean[c] ?? mean[0] ?? 0, std[c] ?? std[0] ?? 1];
    return { mean: each.mean * s + m, std: each.std * s };
  });
  if (!before.every((each) => Number.isFinite(each.mean) && each.std > 0)) return undefined;
  const rounded = (value: number) => Number(value.toPrecision(4));
  return { mean: before.map((each) => rounded(each.mean)), std: before.map((each) => rounded(each.std)) };
}

function isReadable(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof ModelError) return false;
    throw error;
  }
}

async function pick(title: string, labels: readonly string[]): Promise<string | undefined> {
  return vscode.window.showQuickPick(labels, { title, ignoreFocusOut: true });
}

async function pickKey<K extends string>(
  title: string,
  labels: Readonly<Record<K, string>>,
): Promise<K | undefined> {
  const items = (Object.keys(labels) as K[]).map((key) => ({ label: labels[key], key }));
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.key;
}
