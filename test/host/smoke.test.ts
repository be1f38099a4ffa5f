import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('the extension in VS Code', () => {
  const extension = vscode.extensions.getExtension('ranksmith.ranksmith');

  it('activates', async () => {
    assert.ok(extension, 'VS Code does not know ranksmith.ranksmith');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('registers every command that its manifest contributes', async () => {
    const contributed: { command: string }[] = extension?.packageJSON.contributes?.commands ?? [];
    assert.notEqual(contributed.length, 0, 'the manifest contributes no command');
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = contributed.map((each) => each.command).filter((command) => !registered.has(command));
    assert.deepEqual(missing, []);
  });
});
