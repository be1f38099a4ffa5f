import { counted } from '../counted';
import { ModelError } from '../onnx/modelError';
import type { CheckpointRemainder } from './checkpoint';
import { shorten } from './json';
import { isDict, isObject, isSequence, isTensor } from './pickleBuild';
import { childrenOf, findHolders, type Holder, isHolder, isModule } from './pickleTree';
import type { PickleObject, PickleTensor, PickleValue } from './pickleValue';

/** The tensors of a model, by dotted names, and what stands beside them. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  readonly skipped: readonly CheckpointRemainder[];
  /** The numbers and texts of the outermost dict: "epoch", "arch". */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Under which keys checkpoints keep a model, the likeliest first. Those before "model" mean nothing else. */
const MODEL_KEYS: readonly string[] = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'module',
  'net',
  'network',
  'params_ema',
  'params',
  'weights',
  'generator',
  'state_dict_ema',
  'ema_state_dict',
  'model_ema',
  'ema',
];
const SURE_KEYS = MODEL_KEYS.slice(0, MODEL_KEYS.indexOf('model'));
/** Keys of what only training needs. */
const TRAINING_KEY = /optim|sched|scaler|rng|grad|loops|callback|criterion|loss/i;

const MAX_DEPTH = 64;
const MAX_VISITS = 1_000_000;
const MAX_NAME_CHARACTERS = 1 << 26;
const MAX_METADATA = 100;

/**
 * Finds the model in what a checkpoint's pickle holds and flattens it: a dict of tensors, nested dicts, lists
 * and whole modules, be it the outermost value or under one of the usual keys. Throws {@link ModelError} where
 * it nests too deep or repeats itself beyond measure. `label` names the file.
 */
export function findStateDict(root: PickleValue, label: string): StateDict {
  const holders = findHolders(root);
  const skipped: CheckpointRemainder[] = [];
  const chosen = chooseModel(root, holders, skipped);
  const tensors = new Map<string, PickleTensor>();
  flatten(chosen, holders, tensors, skipped, label);
  return { tensors, skipped, metadata: metadataOf(root) };
}

/** Steps into the usual keys for as long as one of them is the model; notes what it passes by. */
function chooseModel(
  root: PickleValue,
  holders: ReadonlySet<Holder>,
  skipped: CheckpointRemainder[],
): PickleValue {
  let value = root;
  let path = '';
  for (let depth = 0; depth < MAX_DEPTH && isDict(value); depth++) {
    const children = [...childrenOf(value)];
    const bearing = new Set(
      children.filter(([, child]) => isHolder(child) && holders.has(child)).map(([name]) => name),
    );
    const isFlat = children.some(
      ([name, child]) => isTensor(child) && !isSingle(child) && !TRAINING_KEY.test(name),
    );
    const key = modelKey(bearing, isFlat);
    if (key === undefined) break;
    for (const [name, child] of children) {
      if (name === key || !(isTensor(child) || bearing.has(name))) continue;
      skipped.push({
        name: path + name,
        reason: `It is not part of the model, which was found under ${JSON.stringify(path + key)}.`,
      });
    }
    value = children.find(([name]) => name === key)![1];
    path += `${key}.`;
  }
  return value;
}

/** The key to step into, if any. A dict that is flat has tensors of its own: it may well be the model itself. */
function modelKey(keys: ReadonlySet<string>, isFlat: boolean): string | undefined {
  const sure = SURE_KEYS.find((key) => keys.has(key));
  if (sure !== undefined || isFlat) return sure;
  const candidates = [...keys].filter((key) => !TRAINING_KEY.test(key));
  return candidates.every((key) => MODEL_KEYS.includes(key))
    ? MODEL_KEYS.find((key) => keys.has(key))
    : undefined;
}

/** Whether a tensor has one element: a counter or a score, not a weight. */
function isSingle({ dims }: PickleTensor): boolean {
  return isSequence(dims) && dims.items.every((size) => size === 1);
}

/** A depth-first walk in the order of insertion, on a stack of its own. */
function flatten(
  root: PickleValue,
  holders: ReadonlySet<Holder>,
  tensors: Map<string, PickleTensor>,
  skipped: CheckpointRemainder[],
  label: string,
): void {
  if (isTensor(root)) {
    tensors.set('tensor', root);
    return;
  }
  if (!isHolder(root)) return;
  const open = [{ prefix: '', children: childrenOf(root) }];
  let visits = 0;
  let characters = 0;
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    const next = frame.children.next();
    if (next.done) {
      open.pop();
      continue;
    }
    const [key, child] = next.value;
    const wanted = isTensor(child) || (isHolder(child) && holders.has(child));
    if (!wanted && !isObject(child)) continue;
    const name = frame.prefix + key;
    characters += name.length;
    if (++visits > MAX_VISITS || characters > MAX_NAME_CHARACTERS) {
      throw new ModelError('too-large', `${label} repeats the same tensors beyond measure.`);
    }
    if (isTensor(child)) {
      if (tensors.has(name)) {
        throw new ModelError(
          'malformed',
          `${label} holds two tensors called ${JSON.stringify(shorten(name))}.`,
        );
      }
      tensors.set(name, child);
    } else if (wanted) {
      if (open.length >= MAX_DEPTH) {
        throw new ModelError(
          'too-deep',
          `${label} nests its tensors deeper than ${counted(MAX_DEPTH, 'level')}.`,
        );
      }
      open.push({ prefix: `${name}.`, children: childrenOf(child as Holder) });
    } else if (isObject(child) && !isModule(child)) {
      skipped.push({ name, reason: reasonFor(child) });
    }
  }
}

function reasonFor({ className }: PickleObject): string {
  return className.startsWith('torch._utils._rebuild_')
    ? `It is a tensor of a kind that is not read (${shorten(className)}).`
    : `It is of the class ${shorten(className)}, which is not read.`;
}

function metadataOf(root: PickleValue): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (!isDict(root)) return metadata;
  for (const [key, value] of root.entries) {
    if (typeof key !== 'string' || metadata.size >= MAX_METADATA) continue;
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      metadata.set(shorten(key), shorten(String(value)));
    }
  }
  return metadata;
}
