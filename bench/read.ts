/**
 * `node out/bench/read.js [MODEL…]`: reading and rewriting models of 10 MB, 100 MB and 1.5 GB (generated) and of the
 * files named, each in a process of its own: our scan with analysis, onnx-proto's full decode, Python's `onnx.load`
 * where it is installed; an edit-free write, and one that replaces half the MatMuls by rank-256 factors. Prints CPU
 * milliseconds, peak memory and ratios to our scan; medians of three.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onnx } from 'onnx-proto';
import { analyzeModel } from '../src/core/compress/analyzeModel';
import { candidatesOf } from '../src/core/compress/candidates';
import { rewriteModel } from '../src/core/compress/rewrite';
import { encodeNode, encodeTensorHeader } from '../src/core/onnx/proto';
import { fieldHeader } from '../src/core/onnx/wire';
import { openModel } from '../src/worker/openModel';
import { openOutputFolder } from '../src/worker/outputFolder';

const RUNS = 3;
const WIDTH = 2048;
const RANK = 256;

/** What a child process does with a model. */
const TASKS: Readonly<Record<string, (model: string) => Promise<void> | void>> = {
  scan(model) {
    const open = openModel(model);
    analyzeModel(open.model, { dims: {}, openExternal: open.openExternal });
    open.close();
  },
  decode(model) {
    onnx.ModelProto.decode(readFileSync(model));
  },
  copy: (model) => rewrite(model, 0),
  'factor half': (model) => rewrite(model, 2),
};

async function rewrite(model: string, every: number): Promise<void> {
  const open = openModel(model);
  const { layers } = analyzeModel(open.model, { dims: {}, openExternal: open.openExternal });
  const folder = openOutputFolder(path.join(path.dirname(model), 'rewritten.onnx'));
  const factored = (every === 0 ? [] : layers.filter((_, i) => i % every === 0)).flatMap((layer) => {
    const candidate = candidatesOf(layer, 'auto').candidates[0];
    if (!candidate) return [];
    const factor = (shape: readonly number[]) =>
      folder.spill(new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)));
    return [{ layer, candidate, ranks: [RANK], factors: candidate.shapes([RANK]).map(factor) }];
  });
  await folder.write([{ name: 'rewritten.onnx', segments: rewriteModel(open.model, factored).segments }]);
  folder.discard();
  open.close();
}

interface Measured {
  readonly cpuMs: number;
  readonly rssMb: number;
}

function measure(task: string, model: string): Measured | undefined {
  const runs: Measured[] = [];
  for (let run = 0; run < RUNS; run++) {
    const child = spawnSync(
      process.execPath,
      ['--max-old-space-size=8192', __filename, '--task', task, model],
      { encoding: 'utf8' },
    );
    if (child.status !== 0) return undefined;
    runs.push(JSON.parse(child.stdout.trim().split('\n').at(-1)!));
  }
  const median = (pick: (m: Measured) => number) => runs.map(pick).sort((a, b) => a - b)[RUNS >> 1]!;
  return { cpuMs: median((m) => m.cpuMs), rssMb: median((m) => m.rssMb) };
}

function measurePython(model: string): Measured | undefined {
  const script = `import onnx, resource, sys, json
onnx.load(sys.argv[1]); u = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpuMs": 1000 * (u.ru_utime + u.ru_stime), "rssMb": u.ru_maxrss / 1024}))`;
  const child = spawnSync('python3', ['-c', script, model], { encoding: 'utf8' });
  return child.status === 0 ? JSON.parse(child.stdout) : undefined;
}

/** A chain of MatMuls with about this many bytes of weights, written without ever being in memory. */
function generate(target: string, megabytes: number): void {
  const weightBytes = 4 * WIDTH * WIDTH;
  const count = Math.max(1, Math.round((megabytes * 1e6) / weightBytes));
  const field = (number: number, payload: Uint8Array) =>
    Buffer.concat([fieldHeader(number, payload.length), payload]);
  const info = (name: string) =>
    onnx.ValueInfoProto.encode({
      name,
      type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }, { dimValue: WIDTH }] } } },
    }).finish();
  const heads: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    heads.push(
      field(
        1,
        encodeNode({ name: `m${i}`, opType: 'MatMul', inputs: [`x${i}`, `w${i}`], outputs: [`x${i + 1}`] }),
      ),
    );
  }
  heads.push(field(11, info('x0')), field(12, info(`x${count}`)));
  const tensors = Array.from({ length: count }, (_, i) => {
    const head = Buffer.concat([encodeTensorHeader(`w${i}`, 1, [WIDTH, WIDTH]), fieldHeader(9, weightBytes)]);
    return Buffer.concat([fieldHeader(5, head.length + weightBytes), head]);
  });
  const graphLength = [...heads, ...tensors].reduce((sum, b) => sum + b.length, 0) + count * weightBytes;
  const model = onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }] }).finish();
  const weight = new Uint8Array(new Float32Array(WIDTH * WIDTH).fill(0.01).buffer);
  const fd = openSync(target, 'w');
  for (const part of [model, fieldHeader(7, graphLength), ...heads]) writeSync(fd, part);
  for (const head of tensors) {
    writeSync(fd, head);
    writeSync(fd, weight);
  }
  closeSync(fd);
}

function printRow(name: string, measured: Measured | undefined, scan: Measured): void {
  if (!measured) console.log(`  ${name.padEnd(13)} did not finish or is not installed`);
  else {
    const { cpuMs, rssMb } = measured;
    const ratios =
      measured === scan
        ? ''
        : `  ${(cpuMs / scan.cpuMs).toFixed(1)} × the CPU, ${(rssMb / scan.rssMb).toFixed(1)} × the memory`;
    console.log(
      `  ${name.padEnd(13)} ${cpuMs.toFixed(0).padStart(6)} ms CPU  ${rssMb.toFixed(0).padStart(5)} MB${ratios}`,
    );
  }
}

function compare(model: string): void {
  console.log(`${path.basename(model)}, ${(statSync(model).size / 1e6).toFixed(1)} MB`);
  const scan = measure('scan', model);
  if (!scan) {
    console.log('  can not be read');
    return;
  }
  printRow('scan', scan, scan);
  printRow('onnx-proto', measure('decode', model), scan);
  printRow('python onnx', measurePython(model), scan);
  printRow('copy', measure('copy', model), scan);
  printRow('factor half', measure('factor half', model), scan);
}

async function main(args: readonly string[]): Promise<void> {
  const [flag, task, model] = args;
  if (flag === '--task') {
    await TASKS[task!]!(model!);
    const { user, system } = process.cpuUsage();
    console.log(
      JSON.stringify({ cpuMs: (user + system) / 1000, rssMb: process.resourceUsage().maxRSS / 1024 }),
    );
    return;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'ranksmith-bench-'));
  try {
    // What a Node process costs that does nothing: to be taken off in one's head.
    const idle = spawnSync(
      process.execPath,
      [
        '-e',
        'const u=process.cpuUsage();console.log((u.user+u.system)/1000, process.resourceUsage().maxRSS/1024)',
      ],
      { encoding: 'utf8' },
    );
    const [ms, mb] = idle.stdout.trim().split(' ').map(Number);
    console.log(`an idle Node process: ${ms!.toFixed(0)} ms CPU, ${mb!.toFixed(0)} MB`);
    for (const megabytes of [10, 100, 1500]) {
      const target = path.join(folder, `generated-${megabytes}.onnx`);
      generate(target, megabytes);
      compare(target);
      rmSync(target);
    }
    for (const file of args) compare(path.resolve(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main(process.argv.slice(2));
