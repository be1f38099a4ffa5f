import type { Overview } from '../overview';
import type { CompressionReport } from '../report';
import { printCsv } from './printCsv';
import { printJson } from './printJson';
import { printMarkdown } from './printMarkdown';
import { printNetron } from './printNetron';

/** What a report can be written as. */
export const REPORT_FORMATS = ['md', 'csv', 'json', 'netron'] as const;

export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** How the names of files in these formats end. Netron takes attachments whose name ends in .json. */
export const REPORT_ENDINGS: Readonly<Record<ReportFormat, string>> = {
  md: '.md',
  csv: '.csv',
  json: '.json',
  netron: '.netron.json',
};

/** The format that a file's name asks for; undefined for any other ending. */
export function reportFormatOf(file: string): ReportFormat | undefined {
  const name = file.toLowerCase();
  return REPORT_FORMATS.toReversed().find((format) => name.endsWith(REPORT_ENDINGS[format]));
}

/** A model before and after as the text of a file. With a report every figure of "after" is of the written file. */
export function printReport(format: ReportFormat, overview: Overview, report?: CompressionReport): string {
  switch (format) {
    case 'md':
      return printMarkdown(overview, report);
    case 'csv':
      return printCsv(overview);
    case 'json':
      return printJson(overview, report);
    case 'netron':
      return printNetron(overview, report);
  }
}
