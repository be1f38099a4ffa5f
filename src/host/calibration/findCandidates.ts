import * as vscode from 'vscode';
import { basename } from '../paths';

/** Something beside a model that may be data for it. */
export interface Candidate {
  readonly uri: vscode.Uri;
  /** What to call it: its path from the model's folder. */
  readonly label: string;
  readonly kind: 'array' | 'tensors' | 'pictures';
}

const ARRAY = /\.np[yz]$/i;
const PICTURE = /\.(png|jpe?g|jpe|jfif)$/i;
/** The name of a set of ONNX test data with any number. */
const SETS = 'test_data_set_*';
const TEST_DATA = /^test_data_set_\d+$/;
/** Folders that are looked into, those inside of them included. */
const MOST_FOLDERS = 24;

/**
 * What may be data for a model, in its folder and in the folders beside it: ONNX test data, arrays, folders of pictures, also
 * where these are sorted into folders by class. What it holds is not looked at.
 */
export async function findCandidates(model: vscode.Uri): Promise<readonly Candidate[]> {
  const folder = vscode.Uri.joinPath(model, '..');
  let left = MOST_FOLDERS;
  const entriesOf = async (uri: vscode.Uri): Promise<readonly [string, vscode.FileType][]> => {
    if (left-- <= 0) return [];
    return vscode.workspace.fs.readDirectory(uri).then(
      (entries) => entries.filter(([name]) => !name.startsWith('.')).sort(([a], [b]) => (a < b ? -1 : 1)),
      () => [],
    );
  };
  const isFolder = ([, type]: [string, vscode.FileType]) => (type & vscode.FileType.Directory) !== 0;
  const holdsPictures = async (uri: vscode.Uri, depth: number): Promise<boolean> => {
    const entries = await entriesOf(uri);
    if (entries.some((entry) => !isFolder(entry) && PICTURE.test(entry[0]))) return true;
    const [first] = entries.filter(isFolder);
    return depth > 0 && first !== undefined && holdsPictures(vscode.Uri.joinPath(uri, first[0]), depth - 1);
  };

  const entries = await entriesOf(folder);
  const found: Candidate[] = [];
  const array = (uri: vscode.Uri, label: string) => found.push({ uri, label, kind: 'array' });
  if (entries.some((entry) => isFolder(entry) && TEST_DATA.test(entry[0])))
    found.push({ uri: folder, label: SETS, kind: 'tensors' });
  for (const entry of entries) {
    const [name] = entry;
    const uri = vscode.Uri.joinPath(folder, name);
    if (!isFolder(entry)) {
      if (ARRAY.test(name)) array(uri, name);
      continue;
    }
    if (TEST_DATA.test(name)) continue;
    const inside = await entriesOf(uri);
    if (inside.some((each) => isFolder(each) && TEST_DATA.test(each[0])))
      found.push({ uri, label: [name, SETS].join('/'), kind: 'tensors' });
    for (const each of inside)
      if (!isFolder(each) && ARRAY.test(each[0]))
        array(vscode.Uri.joinPath(uri, each[0]), `${name}/${each[0]}`);
    const hasOwn = inside.some((each) => !isFolder(each) && PICTURE.test(each[0]));
    const [first] = inside.filter(isFolder);
    if (hasOwn || (first && (await holdsPictures(vscode.Uri.joinPath(uri, first[0]), 0))))
      found.push({ uri, label: `${basename(uri.path)}/`, kind: 'pictures' });
  }
  const order = ['tensors', 'array', 'pictures'];
  return found.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}
