import { isDict, isObject, isSequence, isTensor } from './pickleBuild';
import type { PickleDict, PickleObject, PickleSequence, PickleValue } from './pickleValue';

/** A value that can hold others. */
export type Holder = PickleDict | PickleSequence | PickleObject;

export function isHolder(value: PickleValue): value is Holder {
  return isDict(value) || isSequence(value) || isObject(value);
}

/** Attributes in which torch.nn.Module keeps what it consists of. */
const MODULE_PARTS = ['_parameters', '_buffers', '_modules'];

/** Whether an object is a module, be it without parameters. */
export function isModule({ state }: PickleObject): boolean {
  return isDict(state) && state.entries.has('_modules');
}

/**
 * What a value holds, by name: the entries of a dict, the items of a list by number, the parameters, buffers
 * and submodules of a module. Other attributes of objects are their own business.
 */
export function* childrenOf(holder: Holder): Generator<readonly [string, PickleValue]> {
  if (isSequence(holder)) {
    for (const [i, item] of holder.items.entries()) yield [String(i), item];
    return;
  }
  if (isDict(holder)) return yield* named(holder.entries);
  if (holder.entries) yield* named(holder.entries);
  if (!isDict(holder.state)) return;
  for (const attribute of MODULE_PARTS) {
    const part = holder.state.entries.get(attribute);
    if (isDict(part)) yield* named(part.entries);
  }
}

function* named(entries: ReadonlyMap<PickleValue, PickleValue>): Generator<readonly [string, PickleValue]> {
  let position = 0;
  for (const [key, value] of entries) {
    const isPlain = typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint';
    yield [isPlain ? String(key) : `#${position}`, value];
    position++;
  }
}

/**
 * All values reachable from `root` that hold tensors, directly or through others. Every value is looked at
 * once, whatever circles they form: first all are collected, then tensors are traced back to their holders.
 */
export function findHolders(root: PickleValue): ReadonlySet<Holder> {
  const holding = new Set<Holder>();
  if (!isHolder(root)) return holding;
  const heldBy = new Map<Holder, Holder[]>([[root, []]]);
  const direct: Holder[] = [];
  // A Map's iterator also visits what is added on the way.
  for (const [holder] of heldBy) {
    for (const [, child] of childrenOf(holder)) {
      if (isTensor(child)) direct.push(holder);
      else if (isHolder(child)) {
        const known = heldBy.get(child);
        if (known) known.push(holder);
        else heldBy.set(child, [holder]);
      }
    }
  }
  for (let next = direct.pop(); next; next = direct.pop()) {
    if (holding.has(next)) continue;
    holding.add(next);
    for (const holder of heldBy.get(next) ?? []) direct.push(holder);
  }
  return holding;
}
