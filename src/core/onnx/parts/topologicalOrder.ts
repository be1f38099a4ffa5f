import type { Node } from '../model';
import { namesRead } from '../names';

/** The nodes with each behind those it reads from. What is in order already stays as it is. */
export function topologicalOrder(nodes: readonly Node[]): readonly Node[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const ordered: Node[] = [];
  const seen = new Set<Node>();
  for (const first of nodes) {
    if (seen.has(first)) continue;
    seen.add(first);
    // No recursion: a chain may have thousands of nodes. A cycle, which no runtime takes, does not hold it up.
    const path = [{ node: first, reads: namesRead(first), at: 0 }];
    while (path.length > 0) {
      const top = path.at(-1)!;
      const name = top.reads[top.at++];
      if (name === undefined) {
        ordered.push(top.node);
        path.pop();
        continue;
      }
      const maker = name ? makers.get(name) : undefined;
      if (!maker || seen.has(maker)) continue;
      seen.add(maker);
      path.push({ node: maker, reads: namesRead(maker), at: 0 });
    }
  }
  return ordered;
}
