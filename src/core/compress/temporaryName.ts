/** The folder beside a target in which its files are written before they take their names; `unique` is eight hex digits. */
export function temporaryName(target: string, unique: string): string {
  return `.${target}.${unique}.tmp`;
}

/** Whether this is the name of a folder in which `target` was being written. */
export function isTemporaryName(name: string, target: string): boolean {
  return name.startsWith(`.${target}.`) && /^[0-9a-f]{8}\.tmp$/.test(name.slice(target.length + 2));
}
