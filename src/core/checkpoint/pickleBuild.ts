import type { PickleDict, PickleObject, PickleSequence, PickleStorage, PickleValue } from './pickleValue';
import { DTYPES, STORAGE_TYPES, type TensorType } from './tensorType';

/** Counts elements that are copied, and throws when a pickle copies far more than it holds. */
export type Spend = (elements: number) => void;

/** What a known global makes of its arguments; undefined where they are not of its form. */
type Builder = (args: readonly PickleValue[], spend: Spend) => PickleValue | undefined;

const sequence =
  (kind: PickleSequence['kind']): Builder =>
  ([items], spend) => {
    if (items === undefined) return { kind, items: [] };
    if (!isSequence(items)) return undefined;
    spend(items.items.length);
    return { kind, items: [...items.items] };
  };

/** `dict(pairs)`, `OrderedDict(pairs)`, `Counter(dict)`. */
const dict: Builder = ([pairs], spend) => {
  const made: PickleDict = { kind: 'dict', entries: new Map() };
  if (pairs === undefined || pairs === null) return made;
  if (isDict(pairs)) {
    spend(pairs.entries.size);
    return { kind: 'dict', entries: new Map(pairs.entries) };
  }
  if (!isSequence(pairs)) return undefined;
  spend(pairs.items.length);
  for (const pair of pairs.items) {
    if (!isSequence(pair) || pair.items.length !== 2) return undefined;
    made.entries.set(pair.items[0]!, pair.items[1]!);
  }
  return made;
};

/** How protocol 2 writes bytes: as text of which each character is one byte. */
const encodedBytes: Builder = ([text, encoding], spend) => {
  if (typeof text !== 'string' || encoding !== 'latin1') return undefined;
  spend(text.length);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
};

/**
 * `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)`, and v1 without the last
 * three. Metadata can say that the values are to be negated or conjugated.
 */
const tensor: Builder = ([storage, offset, dims, strides, , , metadata]) => {
  if (!isStorage(storage) || !storage.type || strides === undefined || isChanged(metadata)) return undefined;
  return { kind: 'tensor', storage, type: storage.type, offset: offset!, dims: dims!, strides };
};

function isChanged(metadata: PickleValue | undefined): boolean {
  return isDict(metadata) && (metadata.entries.get('neg') === true || metadata.entries.get('conj') === true);
}

/** The arguments of quantised tensors: there the fifth says how, and no metadata follows. */
const quantisedTensor: Builder = (args, spend) => tensor(args.slice(0, 4), spend);

/** The same for element types that have no storage class of their own: the type is the seventh argument. */
const typedTensor: Builder = ([storage, offset, dims, strides, , , dtype, metadata]) => {
  const type = dtypeOf(dtype);
  if (!isStorage(storage) || !type || strides === undefined || isChanged(metadata)) return undefined;
  return { kind: 'tensor', storage, type, offset: offset!, dims: dims!, strides };
};

/** `_rebuild_parameter(data, …)`: the parameter is its data. */
const parameter: Builder = ([data]) => (isTensor(data) ? data : undefined);

/** `_rebuild_from_type_v2(function, class, arguments, attributes)`: the tensor that the function rebuilds. */
const subclass: Builder = ([rebuild, , args], spend) => {
  if (!isGlobal(rebuild) || rebuild.name === SUBCLASS || !isSequence(args)) return undefined;
  const made = BUILDERS.get(rebuild.name)?.(args.items, spend);
  return made !== undefined && isTensor(made) ? made : undefined;
};

const SUBCLASS = 'torch._tensor._rebuild_from_type_v2';

const BUILDERS: ReadonlyMap<string, Builder> = new Map([
  ['torch._utils._rebuild_tensor', tensor],
  ['torch._utils._rebuild_tensor_v2', tensor],
  ['torch._utils._rebuild_tensor_v3', typedTensor],
  ['torch._utils._rebuild_qtensor', quantisedTensor],
  ['torch._utils._rebuild_parameter', parameter],
  ['torch._utils._rebuild_parameter_with_state', parameter],
  ['torch.nn.parameter.Parameter', parameter],
  [SUBCLASS, subclass],
  ['torch.Size', sequence('tuple')],
  ['collections.OrderedDict', dict],
  ['collections.Counter', dict],
  // Its first argument makes missing values and is of no use here.
  ['collections.defaultdict', ([, ...rest], spend) => dict(rest, spend)],
  ['collections.deque', sequence('list')],
  ['_codecs.encode', encodedBytes],
  // Python 3 calls the module builtins; protocols below 3 keep Python 2's name for it.
  ...['builtins', '__builtin__'].flatMap((module): [string, Builder][] => [
    [`${module}.dict`, dict],
    [`${module}.list`, sequence('list')],
    [`${module}.tuple`, sequence('tuple')],
    [`${module}.set`, sequence('set')],
    [`${module}.frozenset`, sequence('set')],
  ]),
]);

/**
 * What a call of `callable` with `args` would make, if that is a tensor or plain data. Everything else becomes
 * an object that knows no more than its name: nothing is looked up by name but the table above.
 */
export function build(callable: PickleValue, args: PickleValue, spend: Spend): PickleValue {
  const name = isGlobal(callable) ? callable.name : 'something that is no class';
  const made = isSequence(args) ? BUILDERS.get(name)?.(args.items, spend) : undefined;
  return made ?? opaque(nameOfObject(name, args));
}

/** An object of a class that is not known here. */
export function opaque(className: string): PickleObject {
  return { kind: 'object', className, state: undefined, entries: undefined };
}

/** `copyreg._reconstructor(class, …)` makes an object of that class. */
function nameOfObject(callable: string, args: PickleValue): string {
  const first = isSequence(args) ? args.items[0] : undefined;
  const makesFirst = callable === 'copyreg._reconstructor' || callable === 'copy_reg._reconstructor';
  return makesFirst && isGlobal(first) ? first.name : callable;
}

/**
 * A storage from its persistent id, `('storage', class, key, device, elements)`; undefined for any other id.
 */
export function storageOf(id: PickleValue): PickleStorage | undefined {
  if (!isSequence(id)) return undefined;
  const [tag, storageClass, key, device, count] = id.items;
  if (tag !== 'storage' || !isGlobal(storageClass) || typeof key !== 'string' || count === undefined) {
    return undefined;
  }
  const type = storageTypeOf(storageClass.name);
  if (type === undefined) return undefined;
  return { kind: 'storage', type, key, device: typeof device === 'string' ? device : '', count };
}

/** null for an untyped storage, undefined for what is no storage. */
function storageTypeOf(name: string): TensorType | null | undefined {
  if (name === 'torch.storage.UntypedStorage' || name === 'torch.UntypedStorage') return null;
  return name.startsWith('torch.') ? STORAGE_TYPES.get(name.slice('torch.'.length)) : undefined;
}

function dtypeOf(value: PickleValue | undefined): TensorType | undefined {
  return isGlobal(value) && value.name.startsWith('torch.')
    ? DTYPES.get(value.name.slice('torch.'.length))
    : undefined;
}

function kindOf(value: PickleValue | undefined): string | undefined {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
}

export function isSequence(value: PickleValue | undefined): value is PickleSequence {
  const kind = kindOf(value);
  return kind === 'list' || kind === 'tuple' || kind === 'set';
}

export function isDict(value: PickleValue | undefined): value is PickleDict {
  return kindOf(value) === 'dict';
}

export function isObject(value: PickleValue | undefined): value is PickleObject {
  return kindOf(value) === 'object';
}

export function isTensor(value: PickleValue | undefined): value is Extract<PickleValue, { kind: 'tensor' }> {
  return kindOf(value) === 'tensor';
}

function isGlobal(value: PickleValue | undefined): value is Extract<PickleValue, { kind: 'global' }> {
  return kindOf(value) === 'global';
}

function isStorage(value: PickleValue | undefined): value is PickleStorage {
  return kindOf(value) === 'storage';
}
