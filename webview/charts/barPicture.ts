import { linearScale } from './scale';
import { type Picture, rectangle } from './shape';

/** In CSS pixels. */
export const BAR_HEIGHT = 10;

/** One layer before (the frame) and after (what is filled of it) on a scale up to `most`; before alone is filled. */
export function barPicture(
  before: number | null,
  after: number | null,
  most: number,
  width: number,
): Picture {
  const scale = linearScale(0, most > 0 ? most : 1, 0, Math.max(0, width - 1));
  const bar = (name: string, value: number, inset: number) =>
    rectangle(
      name,
      0.5,
      0.5 + inset,
      Math.max(value > 0 ? 1 : 0, scale.at(value)),
      BAR_HEIGHT - 1 - 2 * inset,
    );
  const shapes = [];
  if (before !== null) shapes.push(bar(after === null ? 'only' : 'before', before, 0));
  if (after !== null) shapes.push(bar('after', after, before !== null && after > before ? 2 : 0));
  return { width, height: BAR_HEIGHT, shapes };
}
