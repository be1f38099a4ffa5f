import { readFileSync } from 'node:fs';
import { parsePlanFile } from '../core/compress/parsePlanFile';
import type { PlanFile } from '../core/compress/planFile';
import { ModelError } from '../core/onnx/modelError';

/** The plan in a file. Throws 'bad-plan' with every problem, each with its line and column. */
export function readPlan(path: string): PlanFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ModelError('unreadable', `The plan ${path} can't be read: ${(error as Error).message}.`);
  }
  const { plan, problems } = parsePlanFile(text);
  if (plan) return plan;
  const lines = problems.map(({ message, offset }) => {
    const before = text.slice(0, offset).split('\n');
    return `${path}:${before.length}:${before.at(-1)!.length + 1}: ${message}`;
  });
  throw new ModelError('bad-plan', lines.join('\n'));
}
