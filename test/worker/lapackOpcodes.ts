/** How often each one-byte opcode of WebAssembly occurs in the module's code (WebAssembly Core Specification 2.0, section 5.4). */
export function opcodes(bytes: Uint8Array): Map<number, number> {
  const counts = new Map<number, number>();
  let at = 8;
  /** An unsigned LEB128 number; of a signed one it finds the end all the same. */
  const number = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) return value;
    }
  };
  const numbers = (count: number) => {
    for (let i = 0; i < count; i++) number();
  };
  /** Skips what follows an opcode. */
  const immediates = (opcode: number) => {
    if (opcode === OPCODE.tableOfBranches) numbers(number() + 1);
    else if (opcode === 0x1c) numbers(number());
    else if (opcode >= 0x28 && opcode <= 0x3e) numbers(2);
    else if (opcode === 0x43) at += 4;
    else if (opcode === 0x44) at += 8;
    else if (opcode === OPCODE.callIndirect) numbers(2);
    else if (opcode === 0xfc) bulk(number());
    else if (opcode === 0xfd) vector(number());
    else if (oneNumber.has(opcode) || (opcode >= 0x20 && opcode <= 0x26)) number();
  };
  /** Conversions that saturate have none; memory.init, copy and fill and their table kin have. */
  const bulk = (operation: number) => {
    if ([8, 10, 12, 14].includes(operation)) numbers(2);
    else if (operation > 7) number();
  };
  /** Loads and stores, constants and shuffles, lanes. */
  const vector = (operation: number) => {
    if (operation <= 11 || operation === 92 || operation === 93) numbers(2);
    else if (operation === 12 || operation === 13) at += 16;
    else if (operation >= 21 && operation <= 34) at += 1;
    else if (operation >= 84 && operation <= 91) {
      numbers(2);
      at += 1;
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = number() + at;
    if (section === 10) {
      for (let functions = number(); functions > 0; functions--) {
        const last = number() + at;
        for (let groups = number(); groups > 0; groups--) numbers(2);
        while (at < last) {
          const opcode = bytes[at++]!;
          counts.set(opcode, (counts.get(opcode) ?? 0) + 1);
          immediates(opcode);
        }
        if (at !== last) throw new Error('An instruction was read wrongly.');
      }
    }
    at = end;
  }
  return counts;
}

/** Opcodes that matter here. */
export const OPCODE = { unreachable: 0x00, tableOfBranches: 0x0e, call: 0x10, callIndirect: 0x11 } as const;

/** Blocks, branches, calls, integer constants, the size and growth of memory. */
const oneNumber = new Set([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x3f, 0x40, 0x41, 0x42]);
