import { version } from '../../package.json';

/** The version of Ranksmith. */
export const VERSION: string = version;
