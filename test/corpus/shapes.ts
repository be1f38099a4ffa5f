/**
 * Runs shape inference over a folder of cases and prints how many it agrees with:
 *
 *     npx esbuild test/corpus/shapes.ts --bundle --platform=node --outfile=out/corpusShapes.js
 *     node out/corpusShapes.js FOLDER [--all]
 *
 * FOLDER/index.json lists the cases: {entries: [{test, file, status, ops, expected}]}. Cases of status "ok"
 * state the type and shape of every value; the others are wrong graphs, for which a concrete shape of a
 * computed value is one too many.
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
  | { readonly kind: string; readonly elem: ExpectedType };

interface Case {
  readonly test: string;
  readonly file: string;
  readonly status: 'ok' | 'error';
  readonly ops: readonly string[];
  readonly expected?: Readonly<Record<string, ExpectedType>>;
  readonly error?: string;
}

type Verdict = 'agrees' | 'unknown' | 'wrong' | 'sharper' | 'no type';

function printFact(fact: Fact | undefined): string {
  if (!fact) return 'nothing';
  if (fact.kind !== 'tensor') return `${fact.kind} of ${printFact(fact.element)}`;
  return `${fact.type}[${fact.shape ? fact.shape.map(printDim).join(', ') : '…'}]`;
}

function judge(expected: ExpectedType, fact: Fact | undefined): Verdict {
  if (expected.kind !== 'tensor') {
    if (fact?.kind !== expected.kind) return 'unknown';
    return judge(expected.elem as ExpectedType, (fact as { element: Fact }).element);
  }
  const { elem, shape } = expected as { elem: number; shape: readonly (number | string | null)[] | null };
  if (fact?.kind !== 'tensor') return shape === null && elem === 0 ? 'agrees' : 'unknown';
  if (fact.type !== elem && elem !== 0) return fact.type === 0 ? 'no type' : 'wrong';
  if (shape === null) return fact.shape === null ? 'agrees' : 'sharper';
  if (fact.shape === null) return 'unknown';
  if (fact.shape.length !== shape.length) return 'wrong';
  let verdict: Verdict = 'agrees';
  for (const [i, size] of shape.entries()) {
    const ours = fact.shape[i]!;
    if (typeof size === 'number') {
      if (typeof ours === 'number' && ours !== size) return 'wrong';
      // The reader takes a declared 0 for "unknown", as exporters mean it.
      if (typeof ours !== 'number' && size !== 0) verdict = 'unknown';
    } else if (typeof ours === 'number' && verdict === 'agrees') {
      verdict = 'sharper';
    }
  }
  return verdict;
}

/** Computed values that have a concrete shape though the graph declares none for them. */
function concreteOutputs(model: Model, table: ShapeTable): string[] {
  const declared = new Set(model.graph.valueInfo.map((info) => info.name));
  for (const info of model.graph.outputs) if (info.shape) declared.add(info.name);
  return model.graph.nodes
    .filter((node) => node.opType !== 'Constant')
    .flatMap((node) => node.outputs)
    .filter((name) => {
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
        const worst = (['wrong', 'unknown', 'no type', 'sharper'] as const).find((v) =>
          verdicts.some((x) => x.verdict === v),
        );
        count(`ok: ${worst ?? 'agrees'}`);
        if (worst && (all || worst !== 'sharper')) {
          console.log(`${worst.toUpperCase()} ${label}`);
          for (const v of verdicts) if (v.verdict !== 'agrees') console.log(`    ${v.text}`);
        }
      } else {
        const concrete = concreteOutputs(model, table);
        count(concrete.length > 0 ? 'must fail: concrete shape' : 'must fail: nothing concrete');
        if (concrete.length > 0) {
          console.log(`CONCRETE ${label}\n    ${entry.error?.trim().slice(0, 200)}`);
          for (const name of concrete) console.log(`    ${name}: ${printFact(table.fact(name))}`);
        }
      }
    } catch (error) {
      count(`${entry.status}: refused`);
      if (entry.status === 'ok') console.log(`REFUSED ${label}\n    ${(error as Error).stack}`);
    } finally {
      source.close();
    }
  }
  console.log(Object.fromEntries([...counts].sort()));
}

main();
