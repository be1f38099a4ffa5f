import type { LayerPlan } from './plan';
import { type ParsedPlan, type Place, type PlanFile, printEntry, printPlanFile } from './planFile';

/** A piece of a text and what takes its place. */
export interface PlanEdit extends Place {
  readonly text: string;
}

/**
 * Makes an entry of a plan's text what it shall be, or adds it behind the last one; everything else stays as it is written.
 * Undefined where the text has no object of layers to put it into.
 */
export function entryEdit(
  text: string,
  { places, members }: ParsedPlan,
  entry: LayerPlan,
): PlanEdit | undefined {
  const found = places.get(entry.layer);
  if (found) return { ...found.entry, text: printEntry(entry) };
  const layers = members.get('layers');
  if (!layers || text[layers.offset] !== '{') return undefined;
  const inside = text.slice(layers.offset + 1, layers.offset + layers.length - 1);
  const line = `    ${JSON.stringify(entry.layer)}: ${printEntry(entry)}`;
  const end = layers.offset + 1 + inside.trimEnd().length;
  const rest = layers.offset + layers.length - 1 - end;
  return inside.trim() === ''
    ? { offset: layers.offset + 1, length: inside.length, text: `\n${line}\n  ` }
    : { offset: end, length: rest, text: `,\n${line}\n  ` };
}

/** Makes the whole text that of another plan, by the lines that differ: what stays keeps its place. */
export function planEdits(text: string, plan: PlanFile): readonly PlanEdit[] {
  const wanted = printPlanFile(plan);
  if (text === wanted) return [];
  const [before, after] = [text, wanted].map((each) => each.split('\n')) as [string[], string[]];
  if (before.length !== after.length) return [{ offset: 0, length: text.length, text: wanted }];
  const edits: PlanEdit[] = [];
  let offset = 0;
  for (const [i, line] of before.entries()) {
    if (line !== after[i]) edits.push({ offset, length: line.length, text: after[i]! });
    offset += line.length + 1;
  }
  return edits;
}
