import { readdirSync, realpathSync, statSync } from '../platform/files';
import { extname, join, relative } from '../platform/paths';
import { dataError } from './dataError';

/** The pictures of a folder. */
export interface ImageFiles {
  /** In the order of their paths inside the folder, by code units. */
  readonly paths: readonly string[];
  /** Paths inside the folder of what is neither a picture nor hidden, and of folders that were met before. */
  readonly skipped: readonly string[];
}

const ENDINGS = new Set(['.png', '.jpg', '.jpeg', '.jpe', '.jfif']);

/** Whether a file's name says that it is a picture that is read here. */
export function isImageName(path: string): boolean {
  return ENDINGS.has(extname(path).toLowerCase());
}

/** Finds the PNG and JPEG files in a folder and the folders inside it. Throws {@link ModelError} where there are none. */
export function findImages(folder: string): ImageFiles {
  const paths: string[] = [];
  const skipped: string[] = [];
  const seen = new Set<string>();
  const visit = (inside: string) => {
    // Links may lead round in a circle, or twice to the same pictures.
    const real = realpathSync(inside);
    if (seen.has(real)) {
      skipped.push(relative(folder, inside));
      return;
    }
    seen.add(real);
    for (const entry of readdirSync(inside, { withFileTypes: true })) {
      // Names with a dot in front are notes of the system, not data.
      if (entry.name.startsWith('.')) continue;
      const path = join(inside, entry.name);
      const stat = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry;
      if (stat?.isDirectory()) visit(path);
      else if (stat?.isFile() && isImageName(path)) paths.push(path);
      else skipped.push(relative(folder, path));
    }
  };
  visit(folder);
  if (paths.length === 0) {
    const named = skipped.length > 0 ? `, only ${nameSome(skipped)}` : '';
    throw dataError(folder, `the folder holds no PNG or JPEG file and no test_data_set_0${named}`);
  }
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return { paths: paths.sort(order), skipped: skipped.sort(order) };
}

/** "a.txt, b.gif and 7 more". */
export function nameSome(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
