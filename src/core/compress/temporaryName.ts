/** The name under which a file is written before it takes that of its target; `unique` is eight hex digits. */
export function temporaryName(target: string, unique: string): string {
  return `.${target}.${unique}.tmp`;
}

/** Whether a file of this name was being written to become `target`. */
export function isTemporaryName(name: string, target: string): boolean {
  return name.startsWith(`.${target}.`) && /^[0-9a-f]{8}\.tmp$/.test(name.slice(target.length + 2));
}
