import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import * as vscode from 'vscode';
import { exists, folderWithSample, internals } from './internals';

const token = new vscode.CancellationTokenSource().token;
const options = <T>(input: T) => ({ input, toolInvocationToken: undefined });

const textOf = (result: vscode.LanguageModelToolResult | null | undefined) => {
  const [part] = result?.content ?? [];
  assert.ok(part instanceof vscode.LanguageModelTextPart);
  return JSON.parse(part.value);
};

describe('tools for language models', () => {
  it('are known to VS Code', () => {
    const names = vscode.lm.tools.map(({ name }) => name);
    for (const name of ['analyze_model', 'suggest_ranks', 'compress_model']) {
      assert.ok(names.includes(`ranksmith_${name}`), names.join());
    }
  });

  it('analyse a model by a path in the workspace, through VS Code', async () => {
    const input = { file: 'fashion-vgg.onnx', maxLayers: 2, dimensions: { batch: 2 } };
    const answer = textOf(await vscode.lm.invokeTool('ranksmith_analyze_model', options(input), token));
    assert.deepEqual([answer.parameters, answer.macs], [2_310_794, 2 * 17_925_632]);
    assert.deepEqual(
      answer.layers.map(({ name }: { name: string }) => name),
      ['/fc1/Gemm', '/features/features.8/features.8.0/Conv'],
    );
    assert.equal(answer.layersLeftOut, 6);
  });

  it('suggest ranks of layers, and say what a goal would give', async () => {
    const { tools } = await internals();
    const file = 'fashion-vgg.onnx';
    const perLayer = textOf(await tools.suggest.invoke(options({ file, energy: 0.8 }), token));
    assert.equal(perLayer.energy, 0.8);
    assert.ok(perLayer.parametersIfAllApplied < perLayer.parameters);
    const whole = textOf(await tools.suggest.invoke(options({ file, goal: 'parameters=0.5' }), token));
    assert.ok(whole.parameters.after <= 0.5 * whole.parameters.before);
    assert.ok(whole.layers.length === whole.factoredLayers && whole.factoredLayers > 0);
  });

  it('compress a model after saying what will be written, and never replace a file unasked', async () => {
    const folder = folderWithSample('tools');
    const { tools, host } = await internals();
    const input = { file: 'tools/net.onnx', goal: 'parameters=0.5' };
    try {
      const prepared = await tools.compress.prepareInvocation!({ input }, token);
      assert.equal(prepared?.confirmationMessages?.title, 'Compress net.onnx');
      assert.match(
        String(prepared?.confirmationMessages?.message),
        /^The file tools\/net\.compressed\.onnx will be written\. net\.onnx is compressed for the goal parameters=0\.5/,
      );
      assert.ok(!exists(folder.file('net.compressed.onnx')), 'preparing writes nothing');
      const answer = textOf(await tools.compress.invoke(options(input), token));
      assert.equal(answer.written, folder.file('net.compressed.onnx').fsPath);
      assert.equal(answer.bytes.after, statSync(answer.written).size);
      const pair = { original: folder.model.fsPath, compressed: answer.written };
      const { outputError } = await host.engine.verify(pair);
      assert.equal(answer.relativeOutputError, Number(outputError.relative.toPrecision(4)));
      await assert.rejects(
        async () => tools.compress.invoke(options(input), token),
        /net\.compressed\.onnx exists\. Ask the user .* overwrite: true/,
      );
      const again = await tools.compress.prepareInvocation!({ input: { ...input, overwrite: true } }, token);
      assert.match(String(again?.confirmationMessages?.message), /exists and will be replaced/);
    } finally {
      folder.remove();
    }
  });

  it('say what to do next when they refuse', async () => {
    const { tools } = await internals();
    const refused = (work: () => unknown, message: RegExp) => assert.rejects(async () => work(), message);
    await refused(
      () => tools.analyze.invoke(options({ file: 'nowhere.onnx' }), token),
      /There is no file nowhere\.onnx\. Call again with one of those in the workspace \(.*fashion-vgg\.onnx/,
    );
    await refused(
      () => tools.suggest.invoke(options({ file: 'fashion-vgg.onnx', goal: 'smaller' }), token),
      /"smaller" is no goal\. Goals are parameters=S/,
    );
    const compress = (input: object) => () =>
      tools.compress.invoke(options({ file: 'fashion-vgg.onnx', ...input }), token);
    await refused(compress({ output: '../elsewhere/net.onnx' }), /neither in a workspace folder nor/);
    await refused(compress({ output: 'net.txt' }), /is no \.onnx file\. Call again/);
    await refused(compress({ output: 'fashion-vgg.onnx', overwrite: true }), /fashion-vgg\.onnx.*\. /);
    await refused(compress({ goal: 'parameters=0.5', plan: 'a.ranks.json' }), /exclude each other/);
    await refused(compress({ goal: 'parameters=0.0001' }), /Call ranksmith_suggest_ranks with milder goals/);
  });
});
