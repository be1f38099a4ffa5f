/** Entry of the worker that the editor talks to in a browser. Its first message brings the way to the host's files. */
import { ENGINE_METHODS, type Engine } from '../engine';
import { memoryFiles } from '../platform/files.web';
import { OWN_FOLDER } from '../platform/memoryFiles';
import { connect, serve } from '../rpc';
import { createSession } from '../session';
import { setExtensionHost } from './extensionFiles';
import { HOST_FILES_METHODS, type HostFiles } from './hostFiles';
import { lapackFile } from './lapackFile';
import { createMemoryEngine } from './memoryEngine';
import { rpcPort, type WebPort } from './messagePort';

declare const self: WebPort;

self.onmessage = ({ data }) => {
  const { files } = data as { readonly files: WebPort };
  const host = connect<HostFiles>(HOST_FILES_METHODS, rpcPort(files)).remote;
  setExtensionHost(host);
  const folder = `${OWN_FOLDER}/dist`;
  memoryFiles.mkdirSync(folder);
  let lapack: Promise<void> | undefined;
  const prepare = () => {
    lapack ??= lapackFile().then((file) => {
      if (!file) return;
      memoryFiles.appendFileSync(`${folder}/${file.name}`, file.bytes);
    });
    // Another call may have more luck.
    lapack.catch(() => {
      lapack = undefined;
    });
    return lapack;
  };
  const session = createSession({ folder, threadScript: `${folder}/factorThread.js` });
  serve<Engine>(createMemoryEngine(session, memoryFiles, host, prepare), ENGINE_METHODS, rpcPort(self));
};
