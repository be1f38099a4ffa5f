import * as vscode from 'vscode';

const ARRAY = /\.npy$/i;
/** What such files are called. */
const TELLING = /label|class|target|truth|answer|(^|[^a-z])y([^a-z]|$)/i;

/** Files that may hold the labels of data: arrays beside it, in it, and beside the model. Those that are called so come first. */
export async function findLabels(model: vscode.Uri, data: vscode.Uri): Promise<readonly vscode.Uri[]> {
  const parents = [data, model].map((uri) => vscode.Uri.joinPath(uri, '..'));
  const folders = new Map([...parents, data].map((uri) => [uri.toString(), uri]));
  const found: vscode.Uri[] = [];
  for (const folder of folders.values()) {
    // The data is a folder only sometimes.
    const entries = await vscode.workspace.fs.readDirectory(folder).then(
      (all) => all,
      () => [],
    );
    const names = entries.filter(([, type]) => (type & vscode.FileType.File) !== 0).map(([name]) => name);
    for (const name of names.filter((each) => ARRAY.test(each)).sort())
      found.push(vscode.Uri.joinPath(folder, name));
  }
  const others = found.filter((uri) => uri.toString() !== data.toString());
  const isTelling = ({ path }: vscode.Uri) => Number(TELLING.test(path.slice(path.lastIndexOf('/') + 1, -4)));
  return others.sort((a, b) => isTelling(b) - isTelling(a));
}
