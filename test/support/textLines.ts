import { seededUniform } from '../../src/core/tensor/seeded';

/** Letters as strokes on a grid of 5 × 7 points: each point as its column and row, strokes separated by a bar. */
const STROKES: Readonly<Record<string, string>> = {
  A: '06 20 46|14 34',
  B: '00 06 36 45 44 33 03|00 30 41 42 33',
  C: '41 30 10 01 05 16 36 45',
  D: '00 06 26 44 42 20 00',
  E: '40 00 06 46|03 33',
  F: '40 00 06|03 33',
  G: '41 30 10 01 05 16 36 45 43 23',
  H: '00 06|40 46|03 43',
  J: '30 35 26 16 05',
  K: '00 06|40 03 46',
  L: '00 06 46',
  M: '06 00 23 40 46',
  N: '06 00 46 40',
  P: '06 00 30 41 42 33 03',
  R: '06 00 30 41 42 33 03|23 46',
  S: '41 30 10 01 02 13 33 44 45 36 16 05',
  T: '00 40|20 26',
  U: '00 05 16 36 45 40',
  V: '00 26 40',
  W: '00 16 22 36 40',
  X: '00 46|40 06',
  Y: '00 23 40|23 26',
  Z: '00 40 06 46',
  2: '01 10 30 41 42 06 46',
  3: '01 10 30 41 42 33 44 45 36 16 05|33 23',
  4: '36 30 04 44',
  6: '30 10 02 05 16 36 45 44 33 03',
  7: '00 40 16',
};

const LETTERS = Object.keys(STROKES);

/** Pictures of lines of text, as a recogniser of text is fed with: [count, 3, 48, width], from −1 to 1. */
export interface TextLines {
  readonly texts: readonly string[];
  readonly pixels: Float32Array;
}

/**
 * Lines of 4 to 10 letters and digits, dark on light: sizes, slants, strokes, contrast and places vary, and there is
 * noise. The same for the same seed.
 */
export function textLines(count: number, width: number, seed: number): TextLines {
  const height = 48;
  const uniform = seededUniform(seed);
  const between = (low: number, high: number) => low + (high - low) * uniform();
  const texts: string[] = [];
  const pixels = new Float32Array(count * 3 * height * width);
  for (let k = 0; k < count; k++) {
    const size = between(20, 30);
    const step = between(0.85, 1.05) * size;
    const most = Math.max(1, Math.min(10, Math.floor((width - 16) / step)));
    const length = Math.floor(between(Math.min(4, most), most + 1));
    const text = Array.from({ length }, () => LETTERS[Math.floor(uniform() * LETTERS.length)]!).join('');
    texts.push(text);
    const [left, top] = [between(6, 12), between(6, 42 - size)];
    const [slant, thickness] = [between(-0.12, 0.12), between(1.2, 2)];
    const [ink, paper] = [between(-1, -0.4), between(0.4, 1)];
    const segments = [...text].flatMap((letter, i) =>
      segmentsOf(STROKES[letter]!).map((points) =>
        points.map(([column, row]) => {
          const y = (row / 6) * size;
          return [left + i * step + (column / 4) * 0.62 * size + slant * (size - y), top + y] as const;
        }),
      ),
    );
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let distance = Infinity;
        for (const [from, to] of segments) {
          // Most strokes are far away.
          if (Math.abs(x - from![0]) > size && Math.abs(x - to![0]) > size) continue;
          distance = Math.min(distance, distanceTo(x, y, from!, to!));
        }
        const cover = Math.min(1, Math.max(0, thickness + 0.5 - distance));
        const value = paper + cover * (ink - paper) + between(-0.05, 0.05);
        for (let c = 0; c < 3; c++) pixels[((k * 3 + c) * height + y) * width + x] = value;
      }
    }
  }
  return { texts, pixels };
}

type Point = readonly [number, number];

function segmentsOf(strokes: string): readonly (readonly Point[])[] {
  return strokes.split('|').flatMap((stroke) => {
    const points = stroke.split(' ').map((pair): Point => [Number(pair[0]), Number(pair[1])]);
    return points.slice(1).map((to, i) => [points[i]!, to]);
  });
}

function distanceTo(x: number, y: number, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
