import { resolve } from 'node:path';
import type { LayerSpectrum } from '../core/compress/layerSpectrum';
import { counted, plural } from '../core/counted';
import { formatNumber, formatPercent, formatShape } from '../core/format';
import type { Engine } from '../worker/engine';
import { renderTable } from './table';
import { errorOf, type Terminal } from './terminal';
import { parse, parseDims } from './usage';
import { UsageError } from './usageError';

/** `ranksmith spectrum MODEL LAYER`: the singular values of one weight. */
export async function spectrumCommand(
  args: readonly string[],
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { values, positionals } = parse(args, {
    mode: { type: 'string' },
    dim: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  });
  const [model, layer, ...more] = positionals;
  if (model === undefined || layer === undefined || more.length > 0) {
    throw new UsageError('spectrum takes a model and the name of one of its layers.');
  }
  const mode = parseMode(values.mode);
  const dims = parseDims(values.dim);
  try {
    const spectrum = await engine.spectrum(
      { path: resolve(model), layer, dims, ...(mode ? { mode } : {}) },
      terminal.callOptions(model),
    );
    terminal.print(values.json ? JSON.stringify(spectrum) : printSpectrum(spectrum));
    return 0;
  } catch (error) {
    if (values.json) terminal.print(JSON.stringify({ file: model, layer, error: errorOf(error) }));
    else terminal.complain(errorOf(error).message);
    return 1;
  }
}

/** `1` or `0,2`: the axes that become rows. */
function parseMode(text: string | undefined): readonly number[] | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+(,\d+)*$/.test(text)) {
    throw new UsageError(
      `--mode takes an axis of the weight, or several with commas between, not "${text}".`,
    );
  }
  return text.split(',').map(Number);
}

/** Shares of ‖W‖² whose ranks have a row of their own. */
const SHARES = [0.9, 0.95, 0.99, 0.999];

function printSpectrum({
  layer,
  weightShape,
  mode,
  matrices,
  rows,
  cols,
  sigma,
  error,
  noise,
}: LayerSpectrum): string {
  const energy = (rank: number) => 1 - error[rank]! ** 2;
  const marked = SHARES.map((share) => error.findIndex((e) => 1 - e ** 2 >= share));
  const doubling = Array.from({ length: 16 }, (_, i) => 2 ** i).filter((rank) => rank < sigma.length);
  const ranks = [...new Set([...doubling, ...marked, sigma.length])]
    .filter((rank) => rank >= 1)
    .sort((a, b) => a - b);
  const table = renderTable(
    ['rank', 'σ', 'energy', 'error'].map((title) => ({ title, align: 'right' }) as const),
    ranks.map((rank) => {
      const value = sigma[rank - 1]!;
      return [
        String(rank),
        value < noise ? 'noise' : value.toPrecision(5),
        formatPercent(energy(rank)),
        formatPercent(error[rank]!),
      ];
    }),
  );
  const axes = mode
    ? `${plural(mode.length, 'axis', 'axes')} ${mode.join(', ')} as rows`
    : 'as it is factored by svd and channel';
  const count = matrices > 1 ? `${matrices} matrices of ` : '';
  const noisy = sigma.filter((value) => value < noise).length;
  return [
    `${layer}: ${formatShape(weightShape)}, ${axes}: ${count}${rows} × ${cols}`,
    '',
    table,
    ...(noisy > 0
      ? [
          '',
          `${formatNumber(noisy)} of ${counted(sigma.length, 'value')} ${plural(noisy, 'is', 'are')} below ${noise.toPrecision(2)}: rounding noise.`,
        ]
      : []),
  ].join('\n');
}
