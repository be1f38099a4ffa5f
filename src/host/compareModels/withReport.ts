import type { LayerChange, ModelComparison } from '../../core/compress/compare/modelComparison';
import type { CompressionReport, ModelFigures } from '../../core/compress/report';

/**
 * A comparison of a model with what it was compressed to, with the errors and times that were measured then: those of the report, if it
 * is of these very files. Else the comparison itself.
 */
export function withReport(comparison: ModelComparison, report: CompressionReport | null): ModelComparison {
  const { before, after, layers, run } = comparison;
  if (!report || run || !isOf(report.original, before) || !isOf(report.compressed, after)) return comparison;
  const errors = new Map(report.layers.map(({ name, weightError }) => [name, weightError]));
  const { original, compressed, outputError, engine, inputs, assumedDims } = report;
  return {
    ...comparison,
    layers: layers.map(
      (layer): LayerChange =>
        layer.kind === 'factored' ? { ...layer, weightError: errors.get(layer.name) ?? null } : layer,
    ),
    run: { original, compressed, outputError, engine, inputs, assumedDims },
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
