import { isCheckpoint } from '../core/checkpoint/isCheckpoint';
import { checkedLocation } from '../core/onnx/externalData';
import type { Model } from '../core/onnx/model';
import { ModelError } from '../core/onnx/modelError';
import { allGraphs } from '../core/onnx/names';
import { readModel } from '../core/onnx/read';
import type { OpenExternal } from '../core/onnx/tensorData';
import { type FileSource, openFile } from './fileSource';
import { lstatSync, realpathSync } from './platform/files';
import { dirname, join } from './platform/paths';

/** A scanned model with the files behind it held open. Close it. */
export interface OpenModel {
  readonly path: string;
  readonly model: Model;
  readonly openExternal: OpenExternal;
  /** Data files the model names, as it names them. */
  readonly externalFiles: readonly string[];
  /** Changes whenever the file does: for caches. */
  readonly version: string;
  close(): void;
}

/** Opens and scans an ONNX file. Throws ModelErrors. */
export function openModel(path: string): OpenModel {
  if (isCheckpoint(path)) {
    throw new ModelError(
      'unsupported-format',
      `${path} is a checkpoint: it holds weights, but no graph that could be rewritten. Export the model to ONNX first.`,
    );
  }
  const file = openFile(path);
  const externals = new Map<string, FileSource>();
  const close = () => {
    for (const source of [file, ...externals.values()]) source.close();
  };
  try {
    const model = readModel(file);
    return {
      path,
      model,
      externalFiles: externalLocations(model),
      version: versionOf([path]),
      openExternal(location, tensor) {
        const known = externals.get(location);
        if (known) return known;
        const opened = openFile(externalPath(path, location, tensor));
        externals.set(location, opened);
        return opened;
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** The model's file and the data files it names, as paths, in a fixed order. */
export function filesOf({ path, externalFiles }: OpenModel): readonly string[] {
  return [path, ...[...externalFiles].sort().map((file) => join(dirname(path), file))];
}

/** Sizes and times of files: changes whenever one of them does. */
export function versionOf(paths: readonly string[]): string {
  const stats = paths.map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return stats.map((stat) => (stat ? `${stat.size}:${stat.mtimeMs}` : 'missing')).join('|');
}

function externalLocations(model: Model): readonly string[] {
  const found = new Set<string>();
  for (const graph of allGraphs(model.graph)) {
    for (const { data } of graph.initializers) if (data.kind === 'external') found.add(data.location);
  }
  return [...found];
}

/** The data file of an external tensor, after making sure that no link leads out of the model's folder. */
function externalPath(modelPath: string, location: string, tensor: string): string {
  const folder = dirname(modelPath);
  const path = join(folder, ...checkedLocation(location, modelPath, tensor));
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) {
    throw new ModelError(
      'external-missing',
      `${modelPath}: the data file ${location}, which holds the tensor "${tensor}", is missing.`,
    );
  }
  if (
    !stat.isFile() ||
    realpathSync(path) !== join(realpathSync(folder), ...checkedLocation(location, modelPath, tensor))
  ) {
    throw new ModelError(
      'external-location',
      `${modelPath}: the data file ${location} of the tensor "${tensor}" is a link or not a regular file. It is not read.`,
    );
  }
  return path;
}
