import * as vscode from 'vscode';
import { findFiles } from './findFiles';

/** Models, and checkpoints as far as their names can tell: `.bin` is too many things. */
const PATTERN = '**/*.{onnx,safetensors,pt,pth,ckpt}';
/** Not the user's models: dependencies, and what is being written to become a model (`temporaryName.ts`). */
const ELSEWHERE = '{**/node_modules/**,**/.git/**,**/.*.tmp/**}';
const IS_ELSEWHERE = /\/(node_modules|\.git|\.[^/]+\.tmp)\//;
/** Long enough for the events of a checkout or a copy to arrive together. */
const QUIET_MS = 200;

/** The models and checkpoints of all workspace folders, but for those of dependencies and those being written. */
export interface ModelFiles extends vscode.Disposable {
  /** By folder, then by path; `net.onnx` stands before `net.compressed.onnx`. */
  find(): Promise<readonly vscode.Uri[]>;
  /** Files came or went, or folders did. */
  readonly onDidChangeList: vscode.Event<void>;
  /** The content of one changed. */
  readonly onDidChangeFile: vscode.Event<vscode.Uri>;
}

export function watchModelFiles(): ModelFiles {
  const list = new vscode.EventEmitter<void>();
  const file = new vscode.EventEmitter<vscode.Uri>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listChanged = () => {
    clearTimeout(timer);
    timer = setTimeout(() => list.fire(), QUIET_MS);
  };
  const unlessElsewhere = (act: (uri: vscode.Uri) => void) => (uri: vscode.Uri) => {
    if (!IS_ELSEWHERE.test(uri.path)) act(uri);
  };
  const watcher = vscode.workspace.createFileSystemWatcher(PATTERN);
  const parts = vscode.Disposable.from(
    list,
    file,
    watcher,
    watcher.onDidCreate(unlessElsewhere(listChanged)),
    watcher.onDidDelete(unlessElsewhere(listChanged)),
    watcher.onDidChange(unlessElsewhere((uri) => file.fire(uri))),
    vscode.workspace.onDidChangeWorkspaceFolders(listChanged),
  );
  return {
    onDidChangeList: list.event,
    onDidChangeFile: file.event,
    async find() {
      const found = [...(await findFiles(PATTERN, ELSEWHERE))];
      const folder = (uri: vscode.Uri) => vscode.workspace.getWorkspaceFolder(uri)?.index ?? 0;
      const stem = (uri: vscode.Uri) => uri.path.replace(/\.onnx$/, '');
      const byPath = new Intl.Collator('en', { numeric: true }).compare;
      return found.sort((a, b) => folder(a) - folder(b) || byPath(stem(a), stem(b)));
    },
    dispose() {
      clearTimeout(timer);
      parts.dispose();
    },
  };
}
