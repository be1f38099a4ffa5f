import type { Overview } from '../overview';
import type { CompressionReport } from '../report';

/** The version of the format. */
export const REPORT_VERSION = 1;

/**
 * A model before and after as one JSON document: `basis` says whether the figures of "after" are predicted or measured,
 * and with a report it stands beside them whole, as `compress --json` prints it.
 */
export function printJson(overview: Overview, report?: CompressionReport): string {
  const document = { format: 'ranksmith-report', version: REPORT_VERSION, ...overview };
  return `${JSON.stringify(report ? { ...document, report } : document, undefined, 2)}\n`;
}
