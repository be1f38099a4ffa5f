/** What a JPEG file says before its first scan, and how many scans it has (ITU-T T.81, annex B). */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** How the camera was held, by EXIF: 1 upright, 2 to 8 turned or mirrored. */
  readonly orientation: number;
  readonly scans: number;
}

const MARKER = { start: 0xd8, scan: 0xda, end: 0xd9, app1: 0xe1 } as const;

/** Frame headers, but for the markers between them that are none (DHT, JPG, DAC). */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Walks the segments of a JPEG file up to its first scan. Throws plain errors. */
export function jpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let size: { width: number; height: number } | undefined;
  let orientation = 1;
  let at = 2;
  for (;;) {
    if (at + 4 > bytes.length) throw new Error('it is cut off');
    if (bytes[at] !== 0xff) throw new Error(`at byte ${at}, a marker was expected`);
    const marker = bytes[at + 1]!;
    // Any number of fill bytes may stand in front of a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (marker === MARKER.scan) break;
    if (length < 2 || end > bytes.length) throw new Error('it is cut off');
    if (isFrame(marker) && length >= 8) {
      size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    if (marker === MARKER.app1) orientation = exifOrientation(bytes.subarray(at + 4, end)) ?? orientation;
    at = end;
  }
  if (!size) throw new Error('its frame header is missing');
  if (size.width === 0 || size.height === 0) throw new Error('it has no pixels');
  return { ...size, orientation, scans: countScans(bytes.subarray(at)) };
}

/** In coded data a byte 255 is followed by 0 or a restart marker, so this finds scans only. */
function countScans(bytes: Uint8Array): number {
  let scans = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === MARKER.scan) scans++;
  }
  return scans;
}

/** The tag 0x0112 of the first directory of an EXIF segment (Exif 2.32, section 4.6.4); undefined where there is none. */
function exifOrientation(segment: Uint8Array): number | undefined {
  const HEAD = 6;
  if (segment.length < HEAD + 8 || String.fromCharCode(...segment.subarray(0, HEAD)) !== 'Exif\0\0') {
    return undefined;
  }
  const view = new DataView(segment.buffer, segment.byteOffset + HEAD, segment.length - HEAD);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return undefined;
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > view.byteLength) return undefined;
    if (view.getUint16(entry, little) === 0x0112) {
      const value = view.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? value : undefined;
    }
  }
  return undefined;
}
