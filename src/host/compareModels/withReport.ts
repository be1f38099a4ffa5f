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
  const { layers, run } = comparison;
  if (!report || !isReportOf(report, comparison)) return { comparison, isFromReport: false };
  const errors = new Map(report.layers.map(({ name, weightError }) => [name, weightError]));
  const { original, compressed, outputError, decisions, accuracy, engine, inputs, assumedDims } = report;
  const said = { ...(decisions ? { decisions } : {}), ...(accuracy ? { accuracy } : {}) };
  return {
    comparison: {
      ...comparison,
      layers: layers.map(
        (layer): LayerChange =>
          layer.kind === 'factored'
            ? { ...layer, weightError: layer.weightError ?? errors.get(layer.name) ?? null }
            : layer,
      ),
      run: run ?? { original, compressed, outputError, ...said, engine, inputs, assumedDims },
    },
    isFromReport: run === undefined,
  };
}

/** Whether a report is of the compression of the one model to the other. */
export function isReportOf(report: CompressionReport, { before, after }: ModelComparison): boolean {
  return isOf(report.original, before) && isOf(report.compressed, after);
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
