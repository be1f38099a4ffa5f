import type { LayerChange, ModelComparison } from '../../core/compress/compare/modelComparison';
import type { CompressionReport, ModelFigures } from '../../core/compress/report';

/**
 * A comparison of a model with what it was compressed to, with what was measured then, if the report is of these very files: errors
 * of weights and, where they have not been run since, output error and times.
 */
export function withReport(
  comparison: ModelComparison,
  report: CompressionReport | null,
): { readonly comparison: ModelComparison; readonly isFromReport: boolean } {
  const { before, after, layers, run } = comparison;
  if (!report || !isOf(report.original, before) || !isOf(report.compressed, after)) {
    return { comparison, isFromReport: false };
  }
  const errors = new Map(report.layers.map(({ name, weightError }) => [name, weightError]));
  const { original, compressed, outputError, engine, inputs, assumedDims } = report;
  return {
    comparison: {
      ...comparison,
      layers: layers.map(
        (layer): LayerChange =>
          layer.kind === 'factored' ? { ...layer, weightError: errors.get(layer.name) ?? null } : layer,
      ),
      run: run ?? { original, compressed, outputError, engine, inputs, assumedDims },
    },
    isFromReport: run === undefined,
  };
}

/** A file that was written anew since has other figures, as good as always. */
function isOf(said: ModelFigures, found: ModelComparison['before']): boolean {
  return (
    said.file === found.file &&
    said.bytes === found.bytes &&
    said.parameters === found.parameters &&
    said.macs === found.macs
  );
}
