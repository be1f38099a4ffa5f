/**
 * Rewrites the two things in LAPACK's fixed-form sources that FORTRAN 77, and so f2c, does not have:
 * the RECURSIVE prefix is dropped, and EXIT becomes a GO TO to a label after its loop's END DO.
 */
export function toFortran77(source) {
  const lines = [];
  /** For every open DO … END DO loop the label its EXITs jump to, or undefined while there is none. */
  const loops = [];
  let label = 90000;
  for (const original of source.split(/\r?\n/)) {
    if (/^[cC*!]/.test(original)) {
      lines.push(original);
      continue;
    }
    let line = original.replace(/^(\s+)RECURSIVE\s+/i, '$1');
    const code = line.slice(6).split('!')[0].trim().toUpperCase();
    // "DO 10 I = …" ends at its label; only a DO without one is closed by END DO.
    if (/^DO\b(?!\s*\d)/.test(code)) loops.push(undefined);
    if (/\bEXIT$/.test(code) && loops.length > 0) {
      loops[loops.length - 1] ??= ++label;
      line = line.trimEnd().replace(/\bEXIT\s*$/i, `GO TO ${loops.at(-1)}`);
    }
    lines.push(line);
    if (/^END\s*DO$/.test(code) && loops.length > 0) {
      const target = loops.pop();
      if (target !== undefined) lines.push(`${String(target).padStart(5)} CONTINUE`);
    }
  }
  return lines.join('\n');
}
