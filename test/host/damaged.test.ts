import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { createEngineHost } from '../../src/host/engine';
import { folderWithSample } from './internals';

describe('an installation without the engine', () => {
  let folder: ReturnType<typeof folderWithSample>;
  before(() => {
    folder = folderWithSample('damaged');
  });
  after(() => folder.remove());

  it('is told as one, with the file that is missing', async () => {
    const log = vscode.window.createOutputChannel('Ranksmith, damaged', { log: true });
    const extension = vscode.Uri.joinPath(folder.model, '..');
    const host = createEngineHost(extension, log, extension);
    try {
      for (const _ of [1, 2]) {
        await assert.rejects(
          host.engine.analyze({ path: folder.model.fsPath }),
          /^ModelError: The installation of Ranksmith is damaged: .*worker\.js is missing\. Installing it again/,
        );
      }
    } finally {
      host.dispose();
      log.dispose();
    }
  });
});
