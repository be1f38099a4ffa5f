import type { Sha256 } from './sha256';

/** Constants of FIPS 180-4, section 4.2.2: the cube roots of the first 64 primes, 32 bits of what follows the point. */
const K = new Uint32Array(64);
/** Its initial value, section 5.3.3: likewise the square roots of the first eight. */
const INITIAL = new Uint32Array(8);
for (let n = 2, found = 0; found < 64; n++) {
  let isPrime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
  if (!isPrime) continue;
  K[found] = fraction(n ** (1 / 3));
  if (found < 8) INITIAL[found] = fraction(n ** (1 / 2));
  found++;
}

function fraction(x: number): number {
  return (x - Math.floor(x)) * 2 ** 32;
}

/** SHA-256 (FIPS 180-4, section 6.2) in JavaScript: that of browsers takes whole messages only, and answers later. */
export function sha256(): Sha256 {
  const state = INITIAL.slice();
  const words = new Uint32Array(64);
  const block = new Uint8Array(64);
  const view = new DataView(block.buffer);
  let filled = 0;
  let length = 0;

  function compress(): void {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(4 * i);
    for (let i = 16; i < 64; i++) {
      const x = words[i - 15]!;
      const y = words[i - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + words[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const sum = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i++) state[i] = state[i]! + sum[i]!;
    filled = 0;
  }

  function add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + 64 - filled);
      block.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled === 64) compress();
    }
  }

  return {
    update(piece) {
      const bytes = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
      length += bytes.length;
      add(bytes);
    },
    digest(encoding) {
      const bits = 8 * length;
      add(Uint8Array.of(0x80));
      add(new Uint8Array((120 - filled) % 64));
      const end = new DataView(new ArrayBuffer(8));
      end.setUint32(0, Math.floor(bits / 2 ** 32));
      end.setUint32(4, bits % 2 ** 32);
      add(new Uint8Array(end.buffer));
      const hex = Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
      if (encoding === 'hex') return hex;
      return btoa(hex.replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16))));
    },
  };
}
