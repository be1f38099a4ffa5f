import * as vscode from 'vscode';
import { parsePlanFile } from '../../core/compress/parsePlanFile';
import type { PlanFile } from '../../core/compress/planFile';
import { ModelError } from '../../core/onnx/modelError';
import { enginePath } from '../enginePath';
import { engineText } from '../engineText';

/** The plan that a document holds. Throws 'bad-plan' with its first problem where it has any. */
export function wholePlan(document: vscode.TextDocument): PlanFile {
  const { plan, problems } = parsePlanFile(document.getText());
  if (plan) return plan;
  const { message, offset } = problems[0]!;
  const line = document.positionAt(offset).line + 1;
  throw new ModelError(
    'bad-plan',
    vscode.l10n.t(
      '{0}, line {1}, has to be repaired first: {2}',
      enginePath(document.uri),
      line,
      engineText(message),
    ),
  );
}
