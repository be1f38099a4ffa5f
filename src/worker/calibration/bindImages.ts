import { isFloatType } from '../../core/onnx/elements';
import type { BoundInput } from './boundInput';
import { dataError } from './dataError';
import { imageHeader } from './decodeImage';
import { imageColumn } from './imageColumn';
import { type ImageFiles, nameSome } from './imageFiles';
import { imageLayout } from './imageLayout';
import { declaredShape, type ModelInput } from './modelInput';
import type { ImageFitting } from './preprocessing';
import type { SymbolSizes } from './symbolSizes';

/** Types that hold pixels: floating-point ones, and bytes. */
const takesPixels = ({ type }: ModelInput) => isFloatType(type) || type === 2;

/**
 * Binds pictures to the first input that takes some. An open height or width is the one that the user gave, else
 * that of the first picture. Throws {@link ModelError} ('bad-data') where no input takes pictures.
 */
export function bindImages(
  inputs: readonly ModelInput[],
  { paths, skipped }: ImageFiles,
  label: string,
  fitting: ImageFitting,
  symbols: SymbolSizes,
  given: ReadonlyMap<string, number>,
): { readonly bound: BoundInput; readonly warnings: readonly string[] } {
  const input = inputs.find((i) => takesPixels(i) && imageLayout(i.shape, fitting.layout));
  const layout = input && imageLayout(input.shape, fitting.layout);
  if (!layout) {
    const taken = inputs.map((i) => `"${i.name}" (${declaredShape(i)})`).join(', ');
    throw dataError(label, `it holds pictures, but the model's inputs take none: ${taken}`);
  }
  const warnings: string[] = [];
  if (skipped.length > 0) warnings.push(`Skipped, as neither PNG nor JPEG: ${nameSome(skipped)}.`);
  if (layout.assumed) warnings.push(`The input "${input.name}" leaves its channels open: 3 are taken.`);
  const open = [layout.width, layout.height].filter((axis) => {
    const dim = input.shape![axis];
    return typeof dim === 'string' && !given.has(dim);
  });
  const first = open.length > 0 ? imageHeader(paths[0]!) : { width: 0, height: 0 };
  if (open.length > 0) {
    warnings.push(
      `The input "${input.name}" leaves the size of pictures open: all are brought to that of ${paths[0]}, ${first.width} × ${first.height}. Give its dimensions to choose another.`,
    );
  }
  const sizeOf = (axis: number, found: number) => {
    const dim = input.shape![axis]!;
    if (typeof dim === 'number') return dim;
    const size = given.get(dim) ?? found;
    symbols.bind(dim, size, label);
    return size;
  };
  const { batch, channel, channels } = layout;
  const channelDim = channel === null ? undefined : input.shape![channel];
  if (typeof channelDim === 'string') symbols.bind(channelDim, channels, label);
  const width = sizeOf(layout.width, first.width);
  const height = sizeOf(layout.height, first.height);
  const channelsFirst = channel === null || channel < layout.height;
  const shape = input
    .shape!.map((_, axis) =>
      axis === layout.width ? width : axis === layout.height ? height : axis === channel ? channels : 0,
    )
    .filter((_, axis) => axis !== batch);
  const column = imageColumn(label, paths, { width, height, channels, channelsFirst }, fitting, shape);
  return { bound: { input, column, axis: batch, isShared: false, isMadeUp: false }, warnings };
}
