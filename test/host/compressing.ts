import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { parsePlanFile } from '../../src/core/compress/parsePlanFile';
import type { CompressionReport } from '../../src/core/compress/report';
import { requestOf } from '../../src/host/calibration/calibrations';
import type { CompressArgument } from '../../src/host/commands';
import { sameFigures } from '../support/sameFigures';
import { verifyRequest } from '../support/verifyRequest';
import { internals } from './internals';

/** Carries out the command as menus do, on one model or several; what it writes is looked at by {@link checkReport}. */
export async function compress(
  ...args: readonly [CompressArgument] | readonly [vscode.Uri, readonly vscode.Uri[]]
): Promise<readonly CompressionReport[] | undefined> {
  const reports = await vscode.commands.executeCommand<readonly CompressionReport[] | undefined>(
    'ranksmith.compressModel',
    ...args,
  );
  for (const report of reports ?? []) await checkReport(report);
  return reports;
}

/** Holds a report against what the engine says of its file: loaded and run once more, beside the original. */
export async function checkReport(report: CompressionReport): Promise<void> {
  const { host, calibrations } = await internals();
  // What a plan does not say is how the data chosen for the model is read.
  const chosen = calibrations.of(vscode.Uri.file(report.original.file));
  const { calibration, plan: planPath } = report;
  const { plan } = planPath === null ? {} : parsePlanFile(readFileSync(planPath, 'utf8'));
  const request = {
    path: report.original.file,
    output: report.compressed.file,
    ...(report.reproduce ? { seed: report.reproduce.seed } : {}),
    ...(plan && planPath !== null ? { plan, planPath } : {}),
    ...(calibration
      ? { calibration: { ...(chosen ? requestOf(chosen) : {}), path: calibration.source } }
      : {}),
  };
  sameFigures(await host.engine.verify(verifyRequest(request)), report);
}
