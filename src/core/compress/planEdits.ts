import type { ParsedPlan, Place } from './parsePlanFile';
import type { LayerPlan } from './plan';
import { type PlanFile, printEntry, printPlanFile } from './planFile';

/** A piece of a text and what takes its place. */
export interface PlanEdit extends Place {
  readonly text: string;
}

/**
 * Makes an entry of a plan's text what it shall be, or adds it behind the last one; everything else stays as it is written.
 * Undefined where the text has no object of layers to put it into.
 */
export function entryEdit(text: string, parsed: ParsedPlan, entry: LayerPlan): PlanEdit | undefined {
  return entryEdits(text, parsed, [entry])?.[0];
}

/** The same for entries of several layers at once; the edits do not overlap. */
export function entryEdits(
  text: string,
  { places, members }: ParsedPlan,
  entries: readonly LayerPlan[],
): readonly PlanEdit[] | undefined {
  const edits: PlanEdit[] = [];
  const added: string[] = [];
  for (const entry of entries) {
    const found = places.get(entry.layer);
    if (found) edits.push({ ...found.entry, text: printEntry(entry) });
    else added.push(`    ${JSON.stringify(entry.layer)}: ${printEntry(entry)}`);
  }
  if (added.length === 0) return edits;
  const layers = members.get('layers');
  if (!layers || text[layers.offset] !== '{') return undefined;
  const inside = text.slice(layers.offset + 1, layers.offset + layers.length - 1);
  const end = layers.offset + 1 + inside.trimEnd().length;
  const rest = layers.offset + layers.length - 1 - end;
  const lines = `\n${added.join(',\n')}\n  `;
  const isEmpty = inside.trim() === '';
  return [...edits, { offset: end, length: rest, text: isEmpty ? lines : `,${lines}` }];
}

/** Takes the entry of a layer out of a plan's text, with the comma that goes with it; undefined where there is none. */
export function removalEdit(
  text: string,
  { places, members }: ParsedPlan,
  layer: string,
): PlanEdit | undefined {
  const found = places.get(layer);
  const layers = members.get('layers');
  if (!found || !layers) return undefined;
  const end = found.entry.offset + found.entry.length;
  const following = /^\s*,/.exec(text.slice(end, layers.offset + layers.length));
  const [before, comma, space] = /(,?)(\s*)$/.exec(text.slice(layers.offset + 1, found.name.offset))!;
  // The space in front goes too, so that the lines that stay do so as they are; around the only entry all of it.
  const from = found.name.offset - (following ? space! : before).length;
  const isOnly = !following && !comma;
  const to = isOnly ? layers.offset + layers.length - 1 : end + (following?.[0].length ?? 0);
  return { offset: from, length: to - from, text: '' };
}

/** A text with pieces of it replaced. The edits must not overlap. */
export function editedText(text: string, edits: readonly PlanEdit[]): string {
  const descending = [...edits].sort((a, b) => b.offset - a.offset);
  return descending.reduce(
    (whole, { offset, length, text: piece }) => whole.slice(0, offset) + piece + whole.slice(offset + length),
    text,
  );
}

/** Makes the whole text that of another plan, by the lines that differ: what stays keeps its place, and lines their ends. */
export function planEdits(text: string, plan: PlanFile): readonly PlanEdit[] {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text.split(eol);
  const after = printPlanFile(plan).split('\n');
  const edits: PlanEdit[] = [];
  if (before.length === after.length) {
    let offset = 0;
    for (const [i, line] of before.entries()) {
      if (line !== after[i]) edits.push({ offset, length: line.length, text: after[i]! });
      offset += line.length + eol.length;
    }
    return edits;
  }
  // Layers come or go: all from the first line that differs to the last, one of each text at least.
  const most = Math.min(before.length, after.length) - 1;
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const middle = (lines: readonly string[]) => lines.slice(start, lines.length - end).join(eol);
  const offset = before.slice(0, start).reduce((sum, line) => sum + line.length + eol.length, 0);
  return [{ offset, length: middle(before).length, text: middle(after) }];
}
