/** Mutations of protocol-buffer files: of their structure, and of their bytes. */

/** Whole numbers below `n`, from a seed. */
export type Dice = (n: number) => number;

/** A xorshift generator: quick, and the same on every machine. */
export function createDice(seed: number): Dice {
  let state = seed | 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** A field of a message; those that look like messages are taken apart. */
interface Field {
  number: number;
  wire: number;
  value: number;
  content: Uint8Array | Field[];
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

/** The fields of a message, or undefined where the bytes are none. */
function parse(bytes: Uint8Array, depth: number): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const next = (): number | undefined => {
    let value = 0;
    for (let scale = 1; at < bytes.length && scale < 2 ** 50; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = next();
    if (tag === undefined || tag < 8) return undefined;
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 0) {
      const value = next();
      if (value === undefined) return undefined;
      fields.push({ number, wire, value, content: new Uint8Array(0) });
      continue;
    }
    const length = wire === 2 ? next() : wire === 5 ? 4 : wire === 1 ? 8 : undefined;
    if (length === undefined || at + length > bytes.length) return undefined;
    const content = bytes.subarray(at, at + length);
    at += length;
    const inner = wire === 2 && depth > 0 && length > 1 ? parse(content, depth - 1) : undefined;
    fields.push({ number, wire, value: 0, content: inner ?? content });
  }
  return fields;
}

function print(fields: readonly Field[], lie: (length: number) => number): number[] {
  return fields.flatMap(({ number, wire, value, content }) => {
    const tag = varint(number * 8 + wire);
    if (wire === 0) return [...tag, ...varint(value)];
    const body = Array.isArray(content) ? print(content, lie) : [...content];
    return wire === 2 ? [...tag, ...varint(lie(body.length)), ...body] : [...tag, ...body];
  });
}

/** Every message in a file, outermost first. */
function messages(fields: Field[]): Field[][] {
  return [fields, ...fields.flatMap((f) => (Array.isArray(f.content) ? messages(f.content) : []))];
}

const NUMBERS = [0, 1, 2, 7, 127, 128, 255, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1];

/** A file with up to four changes to its structure: fields changed, dropped, doubled, swapped, nested, misdeclared. */
export function mutateStructure(bytes: Uint8Array, dice: Dice): Uint8Array {
  const root = parse(bytes, 12) ?? [];
  let liar = -1;
  for (let change = dice(4); change >= 0; change--) {
    const all = messages(root);
    const message = all[dice(all.length)]!;
    if (message.length === 0) continue;
    const index = dice(message.length);
    const field = message[index]!;
    switch (dice(10)) {
      case 0:
        message.splice(index, 1);
        break;
      case 1:
        message.splice(index, 0, field);
        break;
      case 2:
        field.number = 1 + dice(30);
        break;
      case 3:
        field.wire = [0, 1, 2, 3, 5, 7][dice(6)]!;
        if (!Array.isArray(field.content) && field.content.length < 8) field.content = new Uint8Array(8);
        break;
      case 4:
        field.value = NUMBERS[dice(NUMBERS.length)]!;
        break;
      case 5: {
        const other = all[dice(all.length)]!;
        // A message inside itself would never end.
        if (other.length > 0 && other !== message)
          field.content = structuredClone(other[dice(other.length)]!).content;
        break;
      }
      case 6:
        if (!Array.isArray(field.content)) {
          field.content = Uint8Array.from(field.content, (byte) => (dice(4) === 0 ? dice(256) : byte));
        }
        break;
      case 7:
        message.reverse();
        break;
      case 8:
        if (!Array.isArray(field.content))
          field.content = field.content.slice(0, dice(field.content.length + 1));
        break;
      default:
        liar = dice(40);
    }
  }
  let count = 0;
  const lie = (length: number) => (count++ === liar ? NUMBERS[dice(NUMBERS.length)]! : length);
  return Uint8Array.from(print(root, lie));
}

/** A file with bytes overwritten, cut, or moved. */
export function mutateBytes(bytes: Uint8Array, dice: Dice): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let change = dice(6); change >= 0; change--) out[dice(out.length)] = dice(3) === 0 ? 255 : dice(256);
  if (dice(3) === 0) return out.subarray(0, dice(out.length));
  if (dice(5) === 0) out.copyWithin(dice(out.length), dice(out.length), dice(out.length));
  return out;
}
