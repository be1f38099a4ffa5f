/** What was asked for and is not known here yet: somebody has to find out, and then the same can be asked again. */
export class FileWanted extends Error {
  constructor(
    readonly path: string,
    /** Whether it exists, and how large it is; its content; or what is in the folder. */
    readonly what: 'stat' | 'content' | 'entries',
  ) {
    super(`The ${what} of ${path} is not known here.`);
    this.name = 'FileWanted';
  }
}
