import path from 'node:path';
import { root } from './install.mjs';
import { openWorkbench } from './ui.mjs';
import { serveVirtualFiles } from './virtualFiles.mjs';
import { writeWebVariant } from './webVariant.mjs';

/**
 * Opens a folder of a virtual file system in a VS Code whose extension host is a web worker, as at vscode.dev. The
 * types, and what each part means, are in web.d.mts.
 */
export async function openWebWorkbench({ folder = path.join(root, 'media/sample'), ...options } = {}) {
  const virtual = await serveVirtualFiles(folder);
  try {
    const vsix = [writeWebVariant(path.join(root, 'out/ranksmith.vsix')), virtual.vsix];
    const workbench = await openWorkbench({ ...options, vsix, folder: null, address: virtual.uri });
    return {
      ...workbench,
      workspace: virtual.folder,
      virtual,
      async close() {
        await workbench.close();
        await virtual.close();
      },
    };
  } catch (error) {
    await virtual.close();
    throw error;
  }
}
