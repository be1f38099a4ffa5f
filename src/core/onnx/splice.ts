import type { ByteSource } from './byteSource';
import type { Container, ElementType, Model, Span } from './model';
import { encodeTensorHeader } from './proto';
import { encodeVarint, fieldHeader } from './wire';

/** A piece of the file to be written: bytes copied from a source, or bytes that are new. */
export type Segment = CopySegment | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** A range of a file. */
export interface CopySegment {
  readonly kind: 'copy';
  readonly source: ByteSource;
  readonly start: number;
  readonly end: number;
}

/** Replaces `span` (whole fields of `container`; empty at an insertion point) by other fields. */
export interface Edit {
  readonly container: Container;
  readonly span: Span;
  readonly replacement: readonly Piece[];
}

/** What fields are put together from: new bytes, or a range of a file. */
export type Piece = Uint8Array | CopySegment;

/**
 * The segments of `model` with `edits` made: everything else is copied byte for byte, fields this code does
 * not know included, and only the lengths of messages around a change are written anew. Without edits the
 * result is the file itself. Edits must not overlap; at the same place they keep their order.
 */
export function splice(model: Model, edits: readonly Edit[]): readonly Segment[] {
  const growth = new Map<Container, number>();
  for (const edit of edits) {
    add(growth, edit.container, byteLength(edit.replacement) - (edit.span.end - edit.span.start));
  }
  const changes: { span: Span; replacement: readonly Piece[] }[] = edits.map(({ span, replacement }) => ({
    span,
    replacement,
  }));
  // Innermost first: when a length grows by a byte, the messages around it grow by that byte too.
  const pending = new Set(growth.keys());
  for (const container of pending) for (let c = container.parent; c; c = c.parent) pending.add(c);
  for (const container of [...pending].sort((a, b) => b.start - a.start)) {
    const grown = growth.get(container) ?? 0;
    const header = headerOf(model, container, container.end - container.payload + grown);
    changes.push({ span: { start: container.start, end: container.payload }, replacement: [header] });
    if (container.parent) {
      add(growth, container.parent, grown + header.length - (container.payload - container.start));
    }
  }
  changes.sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  return segments(model.source, changes);
}

function segments(
  source: ByteSource,
  changes: readonly { readonly span: Span; readonly replacement: readonly Piece[] }[],
): readonly Segment[] {
  const out: Segment[] = [];
  let position = 0;
  for (const { span, replacement } of changes) {
    if (span.start < position) throw new Error(`Two edits overlap at byte ${span.start} of ${source.name}.`);
    if (span.start > position) out.push({ kind: 'copy', source, start: position, end: span.start });
    for (const piece of replacement)
      out.push(piece instanceof Uint8Array ? { kind: 'bytes', bytes: piece } : piece);
    position = span.end;
  }
  if (position < source.size) out.push({ kind: 'copy', source, start: position, end: source.size });
  return out;
}

/** Number of bytes that writing the segments gives. */
export function segmentsLength(list: readonly Segment[]): number {
  return list.reduce((sum, s) => sum + (s.kind === 'copy' ? s.end - s.start : s.bytes.length), 0);
}

function headerOf(model: Model, container: Container, length: number): Uint8Array {
  const old = model.source.read(container.start, container.payload - container.start);
  // The tag as it stands in the file, then the new length; an unchanged length keeps its very bytes.
  let tagLength = 1;
  while (old[tagLength - 1]! >= 128) tagLength++;
  if (length === container.end - container.payload) return old.slice();
  const size = encodeVarint(length);
  const header = new Uint8Array(tagLength + size.length);
  header.set(old.subarray(0, tagLength));
  header.set(size, tagLength);
  return header;
}

/** A length-delimited field with its tag. */
export function field(number: number, payload: Uint8Array): readonly Uint8Array[] {
  return [fieldHeader(number, payload.length), payload];
}

/** A tensor as a field (`initializer` is number 5 of a graph): header by onnx-proto, payload as raw_data. */
export function tensorField(
  number: number,
  name: string,
  type: ElementType,
  dims: readonly number[],
  raw: Piece,
): readonly Piece[] {
  const header = encodeTensorHeader(name, type, dims);
  const length = pieceLength(raw);
  const rawHeader = fieldHeader(9, length);
  return [fieldHeader(number, header.length + rawHeader.length + length), header, rawHeader, raw];
}

function byteLength(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + pieceLength(piece), 0);
}

/** Number of bytes of a piece. */
export function pieceLength(piece: Piece): number {
  return piece instanceof Uint8Array ? piece.length : piece.end - piece.start;
}

function add(map: Map<Container, number>, key: Container, amount: number): void {
  map.set(key, (map.get(key) ?? 0) + amount);
}
