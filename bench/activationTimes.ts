/** What one window measured. */
export interface ActivationTimes {
  /** Milliseconds to load the bundle. */
  readonly load: number;
  /** Milliseconds until `activate()` has returned and VS Code knows it. */
  readonly activate: number;
  /** Milliseconds of processor time for both: other work on the machine does not count. */
  readonly processor: number;
  /** Milliseconds of one call to the window and back: what VS Code itself adds. */
  readonly roundTrip: number;
  /** Worker threads that were started: there must be none. */
  readonly threads: number;
}

/** What comes before the line with the figures. */
export const FIGURES = 'figures ';
