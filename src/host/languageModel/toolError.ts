/** A refusal as a language model needs it: what is wrong, and what to do next. */
export class ToolError extends Error {
  constructor(what: string, next: string) {
    super(`${what} ${next}`);
    this.name = 'ToolError';
  }
}
