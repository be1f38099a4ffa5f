import * as vscode from 'vscode';

/** Schemes of disks, here and at the remote. VS Code can search those; elsewhere it waits for an extension that can, maybe for ever. */
const SEARCHED: ReadonlySet<string> = new Set(['file', 'vscode-remote']);

/** Folders that are looked into at most where they have to be walked: on some file systems each is a request to a server. */
const MOST_FOLDERS = 500;

/**
 * The files of the workspace with these endings: '**\/*.onnx' or '**\/*.{pt,pth}'. `elsewhere` is what to leave out as
 * VS Code searches; hidden folders and those of dependencies always are where it can't.
 */
export async function findFiles(
  pattern: string,
  elsewhere: string,
  most?: number,
): Promise<readonly vscode.Uri[]> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const searches = folders.map(({ uri }) => {
    if (!SEARCHED.has(uri.scheme)) return walk(uri, endingOf(pattern));
    return vscode.workspace.findFiles(new vscode.RelativePattern(uri, pattern), elsewhere, most);
  });
  // A folder of the workspace may lie in another.
  const found = new Map((await Promise.all(searches)).flat().map((uri) => [uri.toString(), uri]));
  return [...found.values()].slice(0, most);
}

function endingOf(pattern: string): RegExp {
  const ending = pattern.slice('**/*'.length).replaceAll('.', '\\.');
  return new RegExp(`${ending.replace('{', '(').replace('}', ')').replaceAll(',', '|')}$`);
}

/** The nearest folders first, so that what is left out lies deep. */
async function walk(root: vscode.Uri, ending: RegExp): Promise<readonly vscode.Uri[]> {
  const found: vscode.Uri[] = [];
  const folders = [root];
  for (let i = 0; i < Math.min(folders.length, MOST_FOLDERS); i++) {
    const folder = folders[i]!;
    const entries = await vscode.workspace.fs.readDirectory(folder).then(
      (list) => list,
      () => [],
    );
    for (const [name, type] of entries) {
      const uri = vscode.Uri.joinPath(folder, name);
      const isLink = (type & vscode.FileType.SymbolicLink) !== 0;
      const isHidden = name.startsWith('.') || name === 'node_modules';
      if (type & vscode.FileType.File) {
        if (ending.test(name)) found.push(uri);
      } else if (!isLink && !isHidden) folders.push(uri);
    }
  }
  return found;
}
