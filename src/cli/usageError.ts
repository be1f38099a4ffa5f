/** Wrong arguments: the sentence is printed with the help text. */
export class UsageError extends Error {}
