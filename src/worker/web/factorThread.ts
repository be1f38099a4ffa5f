/** Entry of a factoring thread in a browser. Its first message brings LAPACK. */
import { memoryFiles } from '../platform/files.web';
import { OWN_FOLDER } from '../platform/memoryFiles';
import { factoringPort } from '../platform/threads.web';
import { serveFactoring } from '../serveFactoring';
import type { LapackFile } from './lapackFile';
import type { WebPort } from './messagePort';

declare const self: WebPort;

self.onmessage = ({ data }) => {
  const { lapack } = data as { readonly lapack: LapackFile | undefined };
  if (lapack) memoryFiles.appendFileSync(`${OWN_FOLDER}/${lapack.name}`, lapack.bytes);
  serveFactoring(OWN_FOLDER, factoringPort(self));
};
