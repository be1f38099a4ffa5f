import { l10n } from 'vscode';
import { plural } from '../../core/counted';
import { formatNumber, formatPercent, formatShape } from '../../core/format';
import type {
  CalibrationDescription,
  InputDescription,
  LabelsDescription,
} from '../../worker/calibration/description';
import { type Preprocessing, printScale } from '../../worker/calibration/preprocessing';
import { sampleCount } from '../counts';
import { basename } from '../paths';
import type { Calibration } from './calibrations';

/** What data is called: the name of its file or folder. */
export function dataName({ uri }: Pick<Calibration, 'uri'>): string {
  return basename(uri.path.replace(/\/+$/, ''));
}

/** "1,024 samples, 128 of them held back" */
export function samplesText(count: number, heldBack: number): string {
  return l10n.t('{0}, {1} of them held back', sampleCount(count), formatNumber(heldBack));
}

/** The data of a model in a line: "calib.npy + labels.npy · 1,024 samples, 128 of them held back", or that there is none. */
export function calibrationLine(calibration: Calibration | null | undefined): string {
  if (!calibration) return l10n.t('none: random data, and the report says “uncalibrated”');
  const { samples, heldBack, labels } = calibration;
  const names = [dataName(calibration), ...(labels ? [dataName({ uri: labels })] : [])].join(' + ');
  return `${names} · ${samplesText(samples, heldBack)}`;
}

/** What a model gets of an input, and what values: "3 × 32 × 32 float, from uint8". */
export function inputText({ shape, type, storedType }: InputDescription): string {
  return storedType === type
    ? `${formatShape(shape)} ${type}`
    : l10n.t('{0} {1}, stored as {2}', formatShape(shape), type, storedType);
}

/** "−2.1 … 2.6, mean 0.01, std 1" */
export function rangeText({ min, max, mean, std }: InputDescription['range']): string {
  return l10n.t('{0} … {1}, mean {2}, std {3}', short(min), short(max), short(mean), short(std));
}

/** What labels say and how far the model agrees, in a line. */
export function labelsText(labels: LabelsDescription): string {
  if (labels.kind === 'unfit') return l10n.t('can’t be used');
  const classes = plural(
    labels.classes,
    l10n.t('1 class'),
    l10n.t('{0} classes', formatNumber(labels.classes)),
  );
  const count = plural(labels.count, l10n.t('1 label'), l10n.t('{0} labels', formatNumber(labels.count)));
  if (!labels.right) return `${count} · ${classes}`;
  const { share, samples } = labels.right;
  return `${count} · ${classes} · ${l10n.t('{0} of {1} right', formatPercent(share), formatNumber(samples))}`;
}

/** How its values suit the model, where it tells. */
export function fitText({ fitToNorm }: CalibrationDescription): string | undefined {
  if (!fitToNorm) return undefined;
  return l10n.t(
    'Channels {0} times as spread as in training, means {1} standard deviations away',
    short(fitToNorm.spread, 2),
    short(fitToNorm.shift, 2),
  );
}

/** How values are changed before the model sees them, in words: "1/255, mean 0.5, std 0.5". */
export function scaleText({ scale }: Pick<Preprocessing, 'scale'>): string {
  if (scale === undefined) return l10n.t('1/255 for uint8, none for everything else');
  return scale === 1 ? l10n.t('none, as it is stored') : printScale(scale);
}

export function normalisationText({ mean, std }: Preprocessing): string {
  if (mean.length === 0 && std.length === 0) return l10n.t('none');
  return l10n.t('mean {0}, std {1}', list(mean, 0), list(std, 1));
}

/** All of it, as far as it is not the usual; undefined where nothing is. */
export function preprocessingText(preprocessing: Preprocessing): string | undefined {
  const { scale, mean, std, input, image } = preprocessing;
  const parts = [
    ...(scale === undefined ? [] : [l10n.t('scale {0}', printScale(scale))]),
    ...(mean.length + std.length > 0 ? [normalisationText(preprocessing)] : []),
    ...(input === undefined ? [] : [l10n.t('for the input {0}', input)]),
    ...(image.fit === 'stretch' ? [l10n.t('pictures stretched')] : []),
    ...(image.channels === 'bgr' ? ['BGR'] : []),
    ...(image.layout === 'auto' ? [] : [image.layout === 'nchw' ? 'N C H W' : 'N H W C']),
  ];
  return parts.length > 0 ? parts.join(', ') : undefined;
}

function list(values: readonly number[], otherwise: number): string {
  return values.length === 0 ? String(otherwise) : values.map((value) => short(value)).join(', ');
}

/** A number without more digits than anybody reads. */
export function short(value: number, digits = 3): string {
  const text = String(Number(value.toPrecision(digits)));
  return text.replace(/^-/, '−');
}
