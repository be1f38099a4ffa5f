import * as vscode from 'vscode';
import { findFiles } from '../findFiles';
import { ToolError } from './toolError';

/** Files that a sentence may name. */
const NAMED = 10;

const isAbsolute = (path: string) => /^([a-z]:[\\/]|[\\/])/i.test(path);

/** A file that must be there: by an absolute path, or one relative to a workspace folder. */
export async function existingFile(path: unknown, what: string, pattern: string): Promise<vscode.Uri> {
  if (typeof path !== 'string' || path.trim() === '') {
    throw new ToolError(`The path of the ${what} is missing.`, await known(what, pattern));
  }
  for (const uri of placesOf(path.trim())) if (await exists(uri)) return uri;
  throw new ToolError(`There is no file ${path}.`, await known(what, pattern));
}

/** A file to be written: it is named relative to the first folder that has its parent, and must lie where people look. */
export async function newFile(path: string, source: vscode.Uri): Promise<vscode.Uri> {
  if (!/\.onnx$/i.test(path)) {
    throw new ToolError(
      `The output ${path} is no .onnx file.`,
      'Call again with an output that ends in .onnx.',
    );
  }
  const places = isAbsolute(path)
    ? placesOf(path)
    : [...placesOf(path), vscode.Uri.joinPath(source, '..', path)];
  for (const uri of places) {
    if ((await exists(vscode.Uri.joinPath(uri, '..'))) && isWithin(uri, source)) return uri;
  }
  throw new ToolError(
    `${path} is neither in a workspace folder nor in the folder of the model, or its folder does not exist.`,
    'Call again without output to write beside the model, or name a file in an existing folder of the workspace.',
  );
}

/** Whether somebody or something has this name. */
export async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}

function placesOf(path: string): readonly vscode.Uri[] {
  if (isAbsolute(path)) return [vscode.Uri.file(path)];
  return (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => vscode.Uri.joinPath(uri, path));
}

/** `joinPath` has taken `..` out of the address. */
function isWithin(uri: vscode.Uri, source: vscode.Uri): boolean {
  const folder = vscode.Uri.joinPath(uri, '..').toString();
  return (
    vscode.workspace.getWorkspaceFolder(uri) !== undefined ||
    folder === vscode.Uri.joinPath(source, '..').toString()
  );
}

/** What there is to name instead. */
async function known(what: string, pattern: string): Promise<string> {
  const found = await findFiles(pattern, '**/node_modules/**', NAMED + 1);
  const names = found.map((uri) => vscode.workspace.asRelativePath(uri)).sort();
  if (names.length === 0) return `The workspace has no ${what}: ask the user for its path.`;
  const more = names.length > NAMED ? ', and more' : '';
  const first = names.slice(0, NAMED).join(', ');
  return `Call again with one of those in the workspace (${first}${more}), or ask the user which ${what} is meant.`;
}
