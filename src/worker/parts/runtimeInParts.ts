import { memorySource } from '../../core/onnx/byteSource';
import type { PartLimits } from '../../core/onnx/parts/planParts';
import { readModel } from '../../core/onnx/read';
import { openModel } from '../openModel';
import { existsSync } from '../platform/files';
import type { Runtime } from '../runtime';
import { openParted } from './partedSession';
import { modelBytes } from './partsOf';

/**
 * The runtime, with models that are too large for it run part by part. Everything that runs models runs these too:
 * comparisons, collecting activations, probes.
 *
 * @param limits for tests: others than the runtime's own
 */
export function runtimeInParts(runtime: Runtime, limits?: PartLimits): Runtime {
  const limitsOf = () => limits ?? runtime.limits;
  return {
    get name() {
      return runtime.name;
    },
    get limits() {
      return limitsOf();
    },
    async open(path, externalFiles, bytes, data) {
      const own = limitsOf();
      // What was made up has no file to read on from: a layer alone, which could hardly be cut.
      const isWhole = !own || modelBytes(path, externalFiles, bytes) <= own.whole;
      if (isWhole || !existsSync(path)) return runtime.open(path, externalFiles, bytes, data);
      const open = openModel(path);
      try {
        // The caller may use the memory again once this is open.
        const model = bytes ? readModel(memorySource(path, bytes.slice())) : open.model;
        return openParted(runtime, { ...open, model }, (source) => source !== model.source || !bytes, own);
      } catch (error) {
        open.close();
        throw error;
      }
    },
  };
}
