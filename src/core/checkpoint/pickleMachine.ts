import { counted } from '../counted';
import { formatNumber } from '../format';
import type { ModelError } from '../onnx/modelError';
import { build, isDict, isObject, isSequence, opaque, storageOf } from './pickleBuild';
import { type PickleBytes, parseInteger } from './pickleBytes';
import type { PickleValue } from './pickleValue';

/** Far beyond real checkpoints (six containers a tensor): what a small file may make of memory and time. */
const MAX_CONTAINERS = 1_500_000;
const MAX_MEMO = 2_000_000;
const MAX_STACK = 2_000_000;
const MAX_COPIED = 10_000_000;

/**
 * Stack, marks and memo of one run over one pickle, and what opcodes do to them. Nothing here recurses, so
 * that nesting costs no more than length.
 */
export class PickleMachine {
  private readonly stack: PickleValue[] = [];
  /** Heights of the stack. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private containers = 0;
  private copied = 0;
  /** For messages: where the opcode stands that is being carried out. */
  opcodeAt = 0;

  constructor(readonly input: PickleBytes) {}

  push(value: PickleValue): void {
    if (this.stack.length >= MAX_STACK)
      throw this.tooLarge(`more than ${counted(MAX_STACK, 'value')} are on the stack`);
    this.stack.push(value);
  }

  dup(): void {
    this.push(this.top());
  }

  mark(): void {
    if (this.marks.length >= MAX_STACK)
      throw this.tooLarge(`more than ${counted(MAX_STACK, 'mark')} are set`);
    this.marks.push(this.stack.length);
  }

  /** Drops the topmost value, or the mark above it. */
  drop(): void {
    if (this.marks.at(-1) === this.stack.length) this.marks.pop();
    else this.pop();
  }

  pop(): PickleValue {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined || this.stack.length <= (this.marks.at(-1) ?? 0)) {
      throw this.malformed('a value is taken from an empty stack');
    }
    return value;
  }

  popMany(count: number): PickleValue[] {
    if (this.stack.length - count < (this.marks.at(-1) ?? 0)) {
      throw this.malformed('values are taken from an empty stack');
    }
    return this.stack.splice(this.stack.length - count);
  }

  popMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.malformed('a mark is missing');
    return this.stack.splice(mark);
  }

  private count(): void {
    if (++this.containers > MAX_CONTAINERS) {
      throw this.tooLarge(`more than ${formatNumber(MAX_CONTAINERS)} containers and objects begin`);
    }
  }

  private readonly spend = (elements: number): void => {
    this.copied += elements;
    if (this.copied > MAX_COPIED) throw this.tooLarge('containers are copied over and over');
  };

  pushSequence(kind: 'list' | 'tuple' | 'set', items: PickleValue[]): void {
    this.count();
    this.push({ kind, items });
  }

  pushDict(items: readonly PickleValue[]): void {
    this.count();
    this.push({ kind: 'dict', entries: new Map() });
    this.setItems(items);
  }

  pushObject(className: string): void {
    this.count();
    this.push(opaque(className));
  }

  pushGlobal(module: string, name: string): void {
    this.count();
    this.push({ kind: 'global', name: `${module}.${name}` });
  }

  pushNamed([module, name]: readonly PickleValue[]): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.malformed('a class is named by something that is no text');
    }
    this.pushGlobal(module, name);
  }

  /** Numbers that programs agree on instead of names; which are meant, the pickle does not say. */
  pushExtension(code: number): void {
    this.pushGlobal('copyreg', `extension ${code}`);
  }

  /** A call: of a class or function, with a tuple of arguments. Keyword arguments make no difference here. */
  pushBuilt([callable, args]: readonly PickleValue[]): void {
    this.count();
    this.push(build(callable!, args!, this.spend));
  }

  /** The same from a class and its arguments that follow one by one. */
  pushInstance([callable, ...items]: readonly PickleValue[]): void {
    if (callable === undefined) throw this.malformed('an object is made of no class');
    this.pushBuilt([callable, { kind: 'tuple', items }]);
  }

  pushPersistent(id: PickleValue): void {
    this.count();
    this.push(storageOf(id) ?? opaque('a persistent id'));
  }

  append(items: readonly PickleValue[]): void {
    const target = this.top();
    if (isSequence(target) && target.kind !== 'tuple') for (const item of items) target.items.push(item);
    else if (!isObject(target)) throw this.malformed('items are added to something that is no list');
  }

  setItems(items: readonly PickleValue[]): void {
    if (items.length % 2 !== 0) throw this.malformed('a key has no value');
    const target = this.top();
    let entries: Map<PickleValue, PickleValue>;
    if (isDict(target)) entries = target.entries;
    else if (isObject(target)) entries = target.entries ??= new Map();
    else throw this.malformed('values are put into something that is no dict');
    for (let i = 0; i < items.length; i += 2) entries.set(items[i]!, items[i + 1]!);
  }

  /** Attributes matter to modules only: those of a state dict or tensor say nothing about weights. */
  setState(state: PickleValue): void {
    const target = this.top();
    if (isObject(target)) target.state = state;
  }

  memoize(): void {
    this.put(this.memo.size);
  }

  put(index: number): void {
    this.memo.set(index, this.top());
    if (this.memo.size > MAX_MEMO)
      throw this.tooLarge(`more than ${counted(MAX_MEMO, 'value')} are remembered`);
  }

  get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.malformed(`value ${index} is asked for, but was never remembered`);
    this.push(value);
  }

  integerLine(): PickleValue {
    const text = this.input.line();
    if (text === '01') return true;
    if (text === '00') return false;
    const value = parseInteger(text.replace(/L$/, ''));
    if (value === undefined) throw this.malformed('a number is none');
    return value;
  }

  indexLine(): number {
    const value = parseInteger(this.input.line());
    if (typeof value !== 'number' || value < 0) throw this.malformed('an index is no number');
    return value;
  }

  malformed(what: string): ModelError {
    return this.input.error('malformed', what, this.opcodeAt);
  }

  tooLarge(what: string): ModelError {
    return this.input.error('too-large', what, this.opcodeAt);
  }
}
