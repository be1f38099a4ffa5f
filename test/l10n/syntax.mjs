// Source files of the project as TypeScript's own trees. TypeScript 7 parses in a process of its own and has no other
// interface to its trees than this one, which it calls unstable: package.json names its exact version.
import path from 'node:path';
import { API } from 'typescript/unstable/sync';

export const root = path.resolve(import.meta.dirname, '../..');

/**
 * Calls `visit(node, ancestors, place)` with every node of the files of a project whose path passes `wanted`: `ancestors` from
 * the file down, `place` is "src/host/tree.ts:12".
 */
export function visitSources(project, wanted, visit) {
  const api = new API({ cwd: root });
  try {
    const snapshot = api.updateSnapshot({ openProject: path.join(root, project) });
    const [{ program }] = snapshot.getProjects();
    for (const name of [...program.getSourceFileNames()].sort()) {
      const file = path.relative(root, name).replaceAll(path.sep, '/');
      if (!wanted(file)) continue;
      const source = program.getSourceFile(name);
      const walk = (node, ancestors) => {
        const line = () => source.text.slice(0, node.getStart(source)).split('\n').length;
        visit(node, ancestors, {
          file,
          source,
          get line() {
            return line();
          },
        });
        node.forEachChild((child) => walk(child, [...ancestors, node]));
      };
      walk(source, []);
    }
  } finally {
    api.close();
  }
}
