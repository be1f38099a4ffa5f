import * as vscode from 'vscode';
import { temporaryName } from '../../core/compress/temporaryName';
import { damaged } from '../../core/damaged';
import { ModelError } from '../../core/onnx/modelError';
import type { HostFiles, HostStat } from '../../worker/web/hostFiles';
import { fileUri } from '../enginePath';
import { basename } from '../paths';
import { randomHex } from '../randomHex';

/** The files of the workspace, whatever file system they are on, for an engine that has none. */
export function createHostFiles(extension: vscode.Uri): HostFiles {
  const { fs } = vscode.workspace;
  const read = async (uri: vscode.Uri) => ({ bytes: ownBytes(await fs.readFile(uri)) });
  return {
    stat: ({ path }) => stat(fileUri(path)),
    async read({ path }) {
      try {
        return await read(fileUri(path));
      } catch (error) {
        throw new ModelError('unreadable', vscode.l10n.t('{0} can’t be read: {1}', path, messageOf(error)));
      }
    },
    async list({ path }) {
      const entries = await fs.readDirectory(fileUri(path));
      return entries.map(([name]) => name);
    },
    async write({ path, bytes, replaces }) {
      const target = fileUri(path);
      const name = temporaryName(basename(target.path), randomHex(4));
      const temporary = vscode.Uri.joinPath(target, '..', name);
      try {
        await fs.writeFile(temporary, bytes);
        await fs.rename(temporary, target, { overwrite: replaces });
      } catch (error) {
        await remove(temporary);
        throw new ModelError(
          'write-failed',
          vscode.l10n.t('{0} can’t be written: {1}. Nothing was left behind.', path, messageOf(error)),
        );
      }
    },
    remove: ({ path }) => remove(fileUri(path)),
    resource: async ({ name }) => ({
      bytes: ownBytes(await readOwn(vscode.Uri.joinPath(extension, 'dist', name))),
    }),
  };
}

/** A file of the extension's own. Throws 'damaged' where it is not there. */
export async function readOwn(uri: vscode.Uri): Promise<Uint8Array> {
  try {
    return await vscode.workspace.fs.readFile(uri);
  } catch (error) {
    if ((error as vscode.FileSystemError).code === 'FileNotFound') throw damaged(uri.path);
    throw error;
  }
}

async function stat(uri: vscode.Uri): Promise<HostStat> {
  try {
    const { type, size, mtime } = await vscode.workspace.fs.stat(uri);
    if (type & vscode.FileType.Directory) return { kind: 'folder' };
    return { kind: 'file', size, mtimeMs: mtime };
  } catch {
    return { kind: 'absent' };
  }
}

async function remove(uri: vscode.Uri): Promise<void> {
  await vscode.workspace.fs.delete(uri).then(undefined, () => {});
}

/** Bytes with a buffer of their own, which can be handed over: VS Code may have cut them out of a message. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

/** Without the name of the error that VS Code puts in brackets, and without a stop of its own. */
function messageOf(error: unknown): string {
  return (error as Error).message.replace(/ \([A-Za-z]+\)|\.$/g, '');
}
