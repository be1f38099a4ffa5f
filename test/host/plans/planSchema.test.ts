import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { folderWithSample, internals, until } from '../internals';
import { closeAll, openPlan, plannedText } from './openPlan';

describe('the schema of plans', () => {
  let folder: ReturnType<typeof folderWithSample>;
  before(() => {
    folder = folderWithSample('schema');
  });
  afterEach(closeAll);
  after(() => folder.remove());

  const manifest = () => vscode.extensions.getExtension('ranksmith.ranksmith')?.packageJSON;

  it('is a document at an address of our own, in English what the file says', async () => {
    await internals();
    const [{ url }] = manifest().contributes.jsonValidation;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(url));
    const file = vscode.Uri.joinPath(
      vscode.extensions.getExtension('ranksmith.ranksmith')!.extensionUri,
      'media/plan.schema.json',
    );
    assert.deepEqual(JSON.parse(document.getText()), JSON.parse(readFileSync(file.fsPath, 'utf8')));
  });

  it('is what JSON explains and checks a plan with', async () => {
    const text = await plannedText(folder.model, { kind: 'macs', share: 0.5 });
    const { document } = await openPlan(folder.model, text.replace('"seed":', '"sead": 1,\n  "seed":'));
    const position = document.positionAt(document.getText().indexOf('"foldNorms"') + 3);
    let said = '';
    await until('a hover from the schema', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        position,
      );
      said = hovers
        .flatMap(({ contents }) =>
          contents.map((each) => (each instanceof vscode.MarkdownString ? each.value : String(each))),
        )
        .join('\n');
      return /Fold BatchNormalization into the convolutions/.test(said);
    });
    await until('a warning from the schema', () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .some(({ message, source }) => source !== 'Ranksmith' && /sead/.test(message)),
    );
  });
});
