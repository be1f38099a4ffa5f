/**
 * Runs shape inference over a folder of cases and prints how many it agrees with:
 *
 *     npx esbuild test/corpus/shapes.ts --bundle --platform=node --outfile=out/corpusShapes.js
 *     node out/corpusShapes.js FOLDER [--all]
 *
 * FOLDER/index.json lists the cases: {entries: [{test, file, status, ops, expected}]}. Cases of status "ok"
 * state the type and shape of every value; the others are wrong graphs, for which a concrete shape of what the
 * wrong node computes, or of what is made of it, is one too many. Ends with 1 where something is wrong that is not
 * listed here with its reason.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../../src/core/onnx/model';
import { readModel } from '../../src/core/onnx/read';
import { printDim } from '../../src/core/onnx/shapes/dim';
import type { Fact } from '../../src/core/onnx/shapes/fact';
import { inferShapes, type ShapeTable } from '../../src/core/onnx/shapes/inferShapes';
import { openFile } from '../../src/worker/fileSource';

type ExpectedType =
  | {
      readonly kind: 'tensor';
      readonly elem: number;
      readonly shape: readonly (number | string | null)[] | null;
    }
  | { readonly kind: 'map'; readonly key: number; readonly value: ExpectedType }
  | { readonly kind: string; readonly elem: ExpectedType };

/** Cases in which ours is another answer, or none, and why. By name: their files share it where the reason is one. */
const EXPLAINED: ReadonlyMap<string, string> = new Map([
  [
    'test_stft_reals',
    'onesided is 1 unless the node says otherwise, so ⌊5/2⌋ + 1 = 3 bins; ONNX Runtime returns [2, 3, 3, 2], too',
  ],
  ['test_slice_with_input_shape_steps', 'the axes are computed at run time: any two of them may be cut'],
  ['test_slice_with_input_shape_axes', 'the steps are computed at run time: backwards, the slice is empty'],
  ['test_custom_schema_shape_inference', 'the operator is defined in the program that runs the test'],
  ['test_dummy_graph_schema_shape_inference', 'the operator is defined in the program that runs the test'],
  ['test_invalid_field_in_inference_func', 'the operator is defined in the program that runs the test'],
]);

interface Case {
  readonly test: string;
  readonly file: string;
  readonly status: 'ok' | 'error';
  readonly ops: readonly string[];
  readonly expected?: Readonly<Record<string, ExpectedType>>;
  readonly error?: string;
}

type Verdict = 'agrees' | 'unknown' | 'wrong' | 'sharper';

function printFact(fact: Fact | undefined): string {
  if (!fact) return 'nothing';
  if (fact.kind !== 'tensor')
    return `${fact.kind}${fact.key === undefined ? '' : ` from ${fact.key}`} of ${printFact(fact.element)}`;
  return `${fact.type}[${fact.shape ? fact.shape.map(printDim).join(', ') : '…'}]`;
}

function judge(expected: ExpectedType, fact: Fact | undefined): Verdict {
  if (expected.kind !== 'tensor') {
    if (fact?.kind !== expected.kind) return 'unknown';
    if ('key' in expected && fact.kind !== 'tensor' && fact.key !== expected.key) return 'wrong';
    const inner = 'value' in expected ? expected.value : (expected as { elem: ExpectedType }).elem;
    return judge(inner, (fact as { element: Fact }).element);
  }
  const { elem, shape } = expected as { elem: number; shape: readonly (number | string | null)[] | null };
  if (fact?.kind !== 'tensor') return shape === null && elem === 0 ? 'agrees' : 'unknown';
  if (fact.type !== elem && elem !== 0) return fact.type === 0 ? 'unknown' : 'wrong';
  if (shape === null) return fact.shape === null ? 'agrees' : 'sharper';
  if (fact.shape === null) return 'unknown';
  if (fact.shape.length !== shape.length) return 'wrong';
  let verdict: Verdict = 'agrees';
  for (const [i, size] of shape.entries()) {
    const ours = fact.shape[i]!;
    if (typeof size === 'number') {
      if (typeof ours === 'number' && ours !== size) return 'wrong';
      // Sizes beyond 2^53 stand as their digits.
      if (typeof ours !== 'number' && Number(printDim(ours)) !== size) verdict = 'unknown';
    } else if (typeof ours === 'number' && verdict === 'agrees') {
      verdict = 'sharper';
    }
  }
  return verdict;
}

/**
 * Values with a concrete shape that the graph does not declare, computed by the operator that the error names (any,
 * where it names none) or from what such a node computes: what comes before is none of the error's business.
 */
function concreteOutputs(model: Model, table: ShapeTable, error: string): string[] {
  const declared = new Set(model.graph.valueInfo.map((info) => info.name));
  for (const info of model.graph.outputs) if (info.shape) declared.add(info.name);
  const named = /op_type:(\w+)/.exec(error)?.[1];
  const wrongOp = model.graph.nodes.some((node) => node.opType === named) ? named : undefined;
  const tainted = new Set<string>();
  for (const node of model.graph.nodes) {
    if (wrongOp && node.opType !== wrongOp && !node.inputs.some((name) => tainted.has(name))) continue;
    for (const name of node.outputs) tainted.add(name);
  }
  return model.graph.nodes
    .filter((node) => node.opType !== 'Constant')
    .flatMap((node) => node.outputs)
    .filter((name) => {
      if (!tainted.has(name)) return false;
      const shape = table.get(name)?.shape;
      return !declared.has(name) && shape?.every((d) => typeof d === 'number');
    });
}

function main(): void {
  const folder = process.argv[2];
  if (!folder) throw new Error('The first argument is the folder with index.json.');
  const all = process.argv.includes('--all');
  const { entries } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { entries: Case[] };
  const counts = new Map<string, number>();
  const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const entry of entries) {
    const source = openFile(join(folder, entry.file));
    const label = `${entry.test.split('::').at(-1)} (${entry.file.slice(-21, -5)}; ${entry.ops.join(' ')})`;
    try {
      const model = readModel(source);
      const table = inferShapes(model, {
        bind: new Map(),
        openExternal: () => {
          throw new Error('The corpus has no external data.');
        },
      });
      if (entry.status === 'ok') {
        const verdicts = Object.entries(entry.expected ?? {}).map(([name, expected]) => {
          const fact = table.fact(name);
          return {
            verdict: judge(expected, fact),
            text: `${name}: ${JSON.stringify(expected)} ≠ ${printFact(fact)}`,
          };
        });
        const worst = (['wrong', 'unknown', 'sharper'] as const).find((v) =>
          verdicts.some((x) => x.verdict === v),
        );
        const reason = EXPLAINED.get(entry.test.split('::').at(-1)!.replace(/\[.*/, ''));
        count(`ok: ${worst ?? 'agrees'}${worst && worst !== 'sharper' && reason ? ', explained' : ''}`);
        if (worst && (all || worst !== 'sharper')) {
          if (reason) console.log(`BECAUSE ${reason}:`);
          else if (worst !== 'sharper') process.exitCode = 1;
          console.log(`${worst.toUpperCase()} ${label}`);
          for (const v of verdicts) if (v.verdict !== 'agrees') console.log(`    ${v.text}`);
        }
      } else {
        const concrete = concreteOutputs(model, table, entry.error ?? '');
        if (concrete.length > 0) process.exitCode = 1;
        count(concrete.length > 0 ? 'must fail: concrete shape' : 'must fail: nothing concrete');
        if (concrete.length > 0) {
          console.log(`CONCRETE ${label}\n    ${entry.error?.trim().slice(0, 200)}`);
          for (const name of concrete) console.log(`    ${name}: ${printFact(table.fact(name))}`);
        }
      }
    } catch (error) {
      count(`${entry.status}: refused`);
      if (entry.status === 'ok') process.exitCode = 1;
      if (entry.status === 'ok') console.log(`REFUSED ${label}\n    ${(error as Error).stack}`);
    } finally {
      source.close();
    }
  }
  console.log(Object.fromEntries([...counts].sort()));
}

main();
