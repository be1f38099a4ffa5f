/** The engine's door to the names of files, as the platform writes them. */
export { basename, dirname, extname, join, relative } from 'node:path';
