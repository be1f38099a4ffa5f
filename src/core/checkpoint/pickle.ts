import { counted } from '../counted';
import { PickleBytes } from './pickleBytes';
import { PickleMachine } from './pickleMachine';
import type { PickleValue } from './pickleValue';

/** Far beyond real checkpoints, and a second at the most. */
const MAX_STEPS = 10_000_000;

/**
 * Runs a pickle (protocols 0 to 5; Python's pickletools names the opcodes) and returns what it describes. The
 * machine builds plain data and descriptions of tensors ({@link PickleValue}); it imports nothing and calls
 * nothing, whatever the pickle asks for. `label` names the file in messages. Throws `ModelError` with the
 * byte offset for unknown opcodes, for what is cut off, and where limits are passed.
 */
export function readPickle(bytes: Uint8Array, label: string): PickleValue {
  const input = new PickleBytes(bytes, label);
  const machine = new PickleMachine(input);
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    machine.opcodeAt = input.at;
    const opcode = input.uint8();
    if (opcode === STOP) return machine.pop();
    const act = OPCODES.get(opcode);
    if (!act) {
      const hex = opcode.toString(16).padStart(2, '0');
      throw machine.malformed(`0x${hex} is no opcode that is known here`);
    }
    act(machine, input);
  }
  throw machine.tooLarge(`more than ${counted(MAX_STEPS, 'step')} are asked for`);
}

/** What each opcode does, by its byte. Names and meanings are those of Python's pickletools. */
const OPCODES: ReadonlyMap<number, (m: PickleMachine, input: PickleBytes) => void> = new Map(
  (
    [
      [0x80, protocol],
      [0x95, frame],

      // Numbers and texts
      ['N', (m) => m.push(null)],
      [0x88, (m) => m.push(true)],
      [0x89, (m) => m.push(false)],
      ['J', (m, input) => m.push(input.int32())],
      ['K', (m, input) => m.push(input.uint8())],
      ['M', (m, input) => m.push(input.uint16())],
      [0x8a, (m, input) => m.push(input.integer(input.uint8()))], // LONG1
      [0x8b, (m, input) => m.push(input.integer(input.uint32()))], // LONG4
      ['G', (m, input) => m.push(input.float64())],
      [0x8c, (m, input) => m.push(input.text(input.uint8()))], // SHORT_BINUNICODE
      ['U', (m, input) => m.push(input.text(input.uint8()))],
      ['X', (m, input) => m.push(input.text(input.uint32()))],
      ['T', (m, input) => m.push(input.text(input.uint32()))],
      [0x8d, (m, input) => m.push(input.text(input.uint64()))], // BINUNICODE8
      ['C', (m, input) => m.push(input.copy(input.uint8()))],
      ['B', (m, input) => m.push(input.copy(input.uint32()))],
      [0x8e, (m, input) => m.push(input.copy(input.uint64()))], // BINBYTES8
      [0x96, (m, input) => m.push(input.copy(input.uint64()))], // BYTEARRAY8
      ['I', (m) => m.push(m.integerLine())],
      ['L', (m) => m.push(m.integerLine())],
      ['F', (m, input) => m.push(Number(input.line()))],
      ['V', (m, input) => m.push(input.line())],
      ['S', (m, input) => m.push(input.line())],

      // Containers
      [']', (m) => m.pushSequence('list', [])],
      [')', (m) => m.pushSequence('tuple', [])],
      [0x8f, (m) => m.pushSequence('set', [])], // EMPTY_SET
      ['}', (m) => m.pushDict([])],
      ['(', (m) => m.mark()],
      ['t', (m) => m.pushSequence('tuple', m.popMark())],
      ['l', (m) => m.pushSequence('list', m.popMark())],
      ['d', (m) => m.pushDict(m.popMark())],
      [0x91, (m) => m.pushSequence('set', m.popMark())], // FROZENSET
      [0x85, (m) => m.pushSequence('tuple', m.popMany(1))], // TUPLE1
      [0x86, (m) => m.pushSequence('tuple', m.popMany(2))], // TUPLE2
      [0x87, (m) => m.pushSequence('tuple', m.popMany(3))], // TUPLE3
      ['a', (m) => m.append(m.popMany(1))],
      ['e', (m) => m.append(m.popMark())],
      [0x90, (m) => m.append(m.popMark())], // ADDITEMS
      ['s', (m) => m.setItems(m.popMany(2))],
      ['u', (m) => m.setItems(m.popMark())],

      // Stack and memo
      ['0', (m) => m.drop()],
      ['1', (m) => m.popMark()],
      ['2', (m) => m.dup()],
      ['q', (m, input) => m.put(input.uint8())],
      ['r', (m, input) => m.put(input.uint32())],
      ['p', (m) => m.put(m.indexLine())],
      [0x94, (m) => m.memoize()], // MEMOIZE
      ['h', (m, input) => m.get(input.uint8())],
      ['j', (m, input) => m.get(input.uint32())],
      ['g', (m) => m.get(m.indexLine())],

      // Classes and functions: names, never things
      ['c', (m, input) => m.pushGlobal(input.line(), input.line())],
      [0x93, (m) => m.pushNamed(m.popMany(2))], // STACK_GLOBAL
      [0x82, (m, input) => m.pushExtension(input.uint8())], // EXT1
      [0x83, (m, input) => m.pushExtension(input.uint16())], // EXT2
      [0x84, (m, input) => m.pushExtension(input.uint32())], // EXT4
      ['R', (m) => m.pushBuilt(m.popMany(2))],
      [0x81, (m) => m.pushBuilt(m.popMany(2))], // NEWOBJ
      [0x92, (m) => m.pushBuilt(m.popMany(3))], // NEWOBJ_EX
      ['o', (m) => m.pushInstance(m.popMark())],
      ['i', instance],
      ['b', (m) => m.setState(m.pop())],
      ['Q', (m) => m.pushPersistent(m.pop())],
      ['P', (m, input) => m.pushPersistent(input.line())],
    ] satisfies [string | number, (m: PickleMachine, input: PickleBytes) => void][]
  ).map(([code, act]) => [typeof code === 'string' ? code.charCodeAt(0) : code, act]),
);

const STOP = 0x2e;

function protocol(m: PickleMachine, input: PickleBytes): void {
  if (input.uint8() > 5) throw m.malformed('a protocol after 5 is announced');
}

/** Frames only help those who read a file piece by piece. */
function frame(m: PickleMachine, input: PickleBytes): void {
  if (input.uint64() > input.length - input.at) {
    throw input.error('truncated', 'a frame is longer than what is left', m.opcodeAt);
  }
}

function instance(m: PickleMachine, input: PickleBytes): void {
  m.popMark();
  m.pushObject(`${input.line()}.${input.line()}`);
}
