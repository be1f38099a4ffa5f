import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { childrenOf, folderWithSample, internals, isLayer, modelRow, sample, until } from './internals';

describe('the Layers view', () => {
  it('gives a row for the sample with its totals', async () => {
    const { layers } = await internals();
    const row = await modelRow(sample());
    await childrenOf(row);
    const item = await layers.getTreeItem(row);
    assert.equal(item.label, 'fashion-vgg.onnx');
    assert.equal(item.description, '2.31 M params · 17.9 M MACs · opset 17');
    assert.equal(item.contextValue, 'model.dynamic', 'its batch size is symbolic');
    assert.equal(
      item.accessibilityInformation?.label,
      'fashion-vgg.onnx, 2.31 M parameters, 17.9 M MACs, opset 17',
    );
  });

  it('gives a row for each layer with its share, parameters and MACs', async () => {
    const children = await childrenOf(await modelRow(sample()));
    assert.equal(children.length, 8);
    const fc1 = children.find(({ item }) => item.label === 'fc1')!.item;
    assert.match(String(fc1.description), /^51 % · .*1\.18 M params · 1\.18 M MACs$/);
    assert.match(fc1.accessibilityInformation!.label, /^fc1, Gemm, 1\.18 M parameters, 51\.1 % of the model/);
  });

  it('adds suggested ranks when they are known', async () => {
    const row = await modelRow(sample());
    let descriptions: unknown[] = [];
    await until('a suggestion for every layer', async () => {
      descriptions = (await childrenOf(row)).map(({ item }) => item.description);
      return descriptions.every((text) => /−\d[\d.]* % at rank \d+/.test(String(text)));
    });
    assert.equal(descriptions.length, 8);
  });

  it('shows the layers of a checkpoint, and does not offer to compress it', async () => {
    const folder = folderWithSample('checkpoint');
    try {
      const { layers } = await internals();
      const file = folder.file('weights.safetensors');
      const weight = Float32Array.from({ length: 64 * 48 }, (_, i) => (i % 49 === 0 ? 1 / (1 + i) : 0));
      const entry = { dtype: 'F32', shape: [64, 48], data_offsets: [0, weight.byteLength] };
      const header = Buffer.from(JSON.stringify({ 'fc.weight': entry }));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      writeFileSync(file.fsPath, Buffer.concat([length, header, new Uint8Array(weight.buffer)]));
      const row = await modelRow(file);
      const [layer, ...others] = await childrenOf(row);
      assert.equal(others.length, 0);
      assert.equal(layer?.item.label, 'fc');
      const item = await layers.getTreeItem(row);
      assert.equal(item.contextValue, 'checkpoint');
      assert.equal(item.description, '3.07 k params · MACs unknown · safetensors');
    } finally {
      folder.remove();
    }
  });

  it('explains a layer when it is hovered', async () => {
    const { layers } = await internals();
    const children = await childrenOf(await modelRow(sample()));
    const { row, item } = children.find(({ row }) => isLayer(row) && row.layer.op === 'Conv')!;
    assert.equal(item.tooltip, undefined, 'a tooltip is made when it is asked for');
    const token = undefined as unknown as vscode.CancellationToken;
    const resolved = await layers.resolveTreeItem!(item, row, token);
    const tooltip = resolved?.tooltip;
    assert.ok(tooltip instanceof vscode.MarkdownString);
    for (const word of ['Weight: ', 'Output: ', 'Parameters: ', 'MACs: ', 'FLOPs: ']) {
      assert.ok(tooltip.value.includes(word), `${word} in ${tooltip.value}`);
    }
  });

  it('says in a row why a file can not be read, and reads it when it was repaired', async () => {
    const folder = folderWithSample('broken');
    try {
      const bad = folder.file('bad.onnx');
      writeFileSync(bad.fsPath, 'this is no model');
      const row = await modelRow(bad);
      const [notice, ...others] = await childrenOf(row);
      assert.equal(others.length, 0);
      assert.match(String(notice!.item.label), /bad\.onnx/);
      const { layers } = await internals();
      assert.equal((await layers.getTreeItem(row)).description, 'can’t be read');
      copyFileSync(sample().fsPath, bad.fsPath);
      await until('reading it anew', async () => (await childrenOf(row)).length === 8);
    } finally {
      folder.remove();
    }
  });

  it('analyses a file that the search leaves out when it is asked to', async () => {
    const folder = folderWithSample('node_modules');
    try {
      const { layers } = await internals();
      const isListed = async () =>
        ((await layers.getChildren()) ?? []).some(
          (row) => row.kind === 'model' && row.model.uri.path === folder.model.path,
        );
      await vscode.commands.executeCommand('ranksmith.refresh');
      assert.equal(await isListed(), false);
      await vscode.commands.executeCommand('ranksmith.analyzeModel', folder.model);
      assert.equal(await isListed(), true);
      const row = ((await layers.getChildren()) ?? []).at(-1)!;
      assert.ok(row.kind === 'model' && row.model.state.kind === 'ready');
    } finally {
      folder.remove();
    }
    await vscode.commands.executeCommand('ranksmith.refresh');
  });

  it('shows a model in the view, also many at once', async () => {
    const folder = folderWithSample('many');
    try {
      const uris = [sample(), folder.model];
      assert.equal(
        await vscode.commands.executeCommand('ranksmith.revealInLayers', uris[0], uris),
        undefined,
      );
    } finally {
      folder.remove();
    }
  });

  it('sorts by parameters and by position', async () => {
    const names = async () => (await childrenOf(await modelRow(sample()))).map(({ item }) => item.label);
    await vscode.commands.executeCommand('ranksmith.sortByParameters');
    assert.deepEqual((await names()).slice(0, 2), ['fc1', 'features.8.0']);
    await vscode.commands.executeCommand('ranksmith.sortByPosition');
    assert.deepEqual((await names()).slice(0, 2), ['features.0.0', 'features.2.0']);
  });
});
