import type { Memento, Uri } from 'vscode';
import type { DimBindings } from '../core/compress/analysis';

const BY_MODEL = 'ranksmith.dimensions';
const BY_NAME = 'ranksmith.lastSizes';

/** The sizes somebody gave to symbolic dimensions, remembered with the workspace. */
export interface Dimensions {
  /** Of this model. */
  of(uri: Uri): DimBindings;
  /** The size last given to a dimension of this name, in any model. */
  lastSize(name: string): number | undefined;
  set(uri: Uri, bindings: DimBindings): Promise<void>;
}

export function rememberDimensions(state: Memento): Dimensions {
  const byModel = () => state.get<Readonly<Record<string, DimBindings>>>(BY_MODEL, {});
  const byName = () => state.get<DimBindings>(BY_NAME, {});
  return {
    of: (uri) => byModel()[uri.toString()] ?? {},
    lastSize: (name) => (Object.hasOwn(byName(), name) ? byName()[name] : undefined),
    async set(uri, bindings) {
      await state.update(BY_MODEL, { ...byModel(), [uri.toString()]: bindings });
      await state.update(BY_NAME, { ...byName(), ...bindings });
    },
  };
}
