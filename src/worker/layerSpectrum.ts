import type { LayerInfo } from '../core/compress/analysis';
import { candidatesOf } from '../core/compress/candidates';
import type { FormedLayer } from '../core/compress/layer';
import type { LayerSpectrum } from '../core/compress/layerSpectrum';
import { tailsOf } from '../core/compress/spectrum';
import { type Unfolding, unfoldedSize } from '../core/compress/unfolding';
import { ModelError } from '../core/onnx/modelError';
import { noiseFloor } from '../core/tensor/truncatedSvd';
import { WeightRefused } from './pool';
import type { WeightFile } from './runTask';
import type { Spectra } from './spectra';

/** A layer by its name, with what is shown of it. Throws 'unknown-layer' with the names that come near. */
export function findLayer<L extends FormedLayer>(
  path: string,
  layers: readonly L[],
  infos: readonly LayerInfo[],
  name: string,
): { readonly layer: L; readonly info: LayerInfo } {
  const index = layers.findIndex((layer) => layer.name === name);
  const [layer, info] = [layers[index], infos[index]];
  if (layer && info) return { layer, info };
  throw unknownLayer(
    path,
    layers.map((each) => each.name),
    name,
  );
}

/** That there is no such layer, with the names that come near. */
export function unknownLayer(path: string, names: readonly string[], name: string): ModelError {
  const wanted = name.toLowerCase();
  const near = names.filter((each) => each.toLowerCase().includes(wanted));
  const some = (near.length > 0 ? near : names).slice(0, 5).map((each) => `"${each}"`);
  const hint =
    some.length === 0
      ? 'It has no layers.'
      : `There ${near.length > 0 ? 'are' : 'are, for example,'} ${some.join(', ')}.`;
  return new ModelError('unknown-layer', `${path}: there is no layer "${name}". ${hint}`);
}

/**
 * The singular values of a layer's weight: with these axes of it as rows, or, without any, in the unfolding that
 * `svd` and `channel` cut, group by group.
 */
export async function layerSpectrum<L extends FormedLayer>(
  spectra: Spectra,
  file: WeightFile<L>,
  { layer, info }: { readonly layer: L; readonly info: LayerInfo },
  mode: readonly number[] | undefined,
  call: Parameters<Spectra['spectrum']>[3],
): Promise<LayerSpectrum> {
  const { form } = layer;
  const refuse = (reason: string) =>
    new ModelError('unknown-layer', `${file.path}: layer "${layer.name}": ${reason}`);
  if (form.kind === 'none') throw refuse(form.reason);
  const unfolding = mode ? unfoldingBy(info.weightShape, mode, refuse) : matrixOf(layer);
  const { count, rows, cols } = unfoldedSize(unfolding);
  try {
    const spectrum = await spectra.spectrum(file, layer, unfolding, call);
    const tails = tailsOf(spectrum);
    return {
      file: file.path,
      layer: layer.name,
      weightShape: info.weightShape,
      mode: mode ?? null,
      matrices: count,
      rows,
      cols,
      sigma: Array.from(spectrum.energies, Math.sqrt),
      error: Array.from(tails, (tail) => (tail === 0 ? 0 : Math.sqrt(tail / tails[0]!))),
      noise: noiseFloor * Math.sqrt(spectrum.energies[0] ?? 0),
    };
  } catch (error) {
    throw error instanceof WeightRefused ? refuse(error.message) : error;
  }
}

function unfoldingBy(
  dims: readonly number[],
  rows: readonly number[],
  refuse: (reason: string) => ModelError,
): Unfolding {
  const wrong = rows.find((axis, i) => !(axis in dims) || rows.indexOf(axis) !== i);
  if (wrong !== undefined) {
    throw refuse(
      `its weight is ${dims.join(' × ')}, so that an axis is one of 0 … ${dims.length - 1}, each once; not ${wrong}.`,
    );
  }
  const others = [...dims.keys()].filter((axis) => !rows.includes(axis));
  return { dims, permutation: [...rows, ...others], batchAxes: 0, rowAxes: rows.length };
}

/** The unfolding of the first method with one. */
function matrixOf(layer: FormedLayer): Unfolding {
  const unfolding = candidatesOf(layer, 'auto').candidates[0]?.series[0]?.unfolding;
  if (!unfolding) throw new Error(`No method of auto unfolds the layer "${layer.name}".`);
  return unfolding;
}
