import type { LayerColumns } from './columns';
import { convColumns } from './convColumns';
import type { LayerUse } from './layerUses';
import { matmulColumns } from './matmulColumns';

/** How x and y of a use become columns, given their sizes in one run. */
export function layerColumns(
  { form, node }: LayerUse,
  xDims: readonly number[],
  yDims: readonly number[],
): LayerColumns {
  return form.kind === 'conv'
    ? convColumns(form, node, xDims, yDims)
    : matmulColumns(form, node, xDims, yDims);
}
