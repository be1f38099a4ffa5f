import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  bindDim,
  ceilDiv,
  type Dim,
  floorDiv,
  lowerBound,
  max,
  min,
  mul,
  printDim,
  sameDim,
  sub,
  symbol,
  symbolsOf,
} from '../../src/core/onnx/shapes/dim';
import { seededNumbers } from '../support/onnxModel';

const [H, N, W] = [symbol('H'), symbol('N'), symbol('W')];

/** Expressions and how they print: the printed form is the canonical one. */
const PRINTED: readonly (readonly [Dim, string])[] = [
  [add(mul(N, 2), 1), '2*N + 1'],
  [sub(1, N), '-N + 1'],
  [mul(add(H, 1), add(H, -1)), 'H^2 - 1'],
  [sub(add(N, H), N), 'H'],
  [sub(N, N), '0'],
  [floorDiv(H, 2), 'floor(H/2)'],
  [add(floorDiv(sub(H, 1), 2), 1), 'floor((H + 1)/2)'],
  [floorDiv(add(mul(H, 4), 6), 2), '2*H + 3'],
  [floorDiv(add(mul(H, 6), 5), 4), 'H + floor(H/2) + 1'],
  [floorDiv(floorDiv(H, 2), 3), 'floor(H/6)'],
  [ceilDiv(ceilDiv(H, 2), 2), 'floor((H + 3)/4)'],
  [floorDiv(mul(mul(N, H), 12), mul(N, 4)), '3*H'],
  [floorDiv(mul(add(H, 1), add(W, 2)), add(W, 2)), 'H + 1'],
  [floorDiv(N, H), 'floor(N/H)'],
  [max(N, 0), 'N'],
  [min(N, 1), '1'],
  [min(add(N, 2), N), 'N'],
  [max(max(N, H), max(W, N)), 'max(H, N, W)'],
  [min(7, H), 'min(H, 7)'],
  [mul(null, 0), '0'],
  [add(null, 1), '?'],
  [floorDiv(N, 0), '?'],
];

test('expressions print in canonical form', () => {
  for (const [dim, text] of PRINTED) assert.equal(printDim(dim), text);
});

test('an expression knows its symbols and a bound', () => {
  const size = add(floorDiv(add(H, 3), 2), mul(N, 2));
  assert.deepEqual([...symbolsOf(size)].sort(), ['H', 'N']);
  assert.equal(lowerBound(size), 4);
  assert.equal(lowerBound(sub(N, H)), -Infinity);
  assert.equal(lowerBound(null), -Infinity);
});

test('evaluation after simplification is evaluation before it', () => {
  const next = seededNumbers(7);
  const pick = (n: number) => Math.min(n - 1, Math.floor(((next() + 1) / 2) * n));
  for (let round = 0; round < 3000; round++) {
    const bindings = new Map([
      ['H', 1 + pick(40)],
      ['N', 1 + pick(5)],
      ['W', 1 + pick(40)],
    ]);
    let dim: Dim = [H, N, W][pick(3)]!;
    let value = bindings.get(printDim(dim))!;
    for (let step = 0; step < 6; step++) {
      const name = ['H', 'N', 'W'][pick(3)]!;
      const isNumber = pick(2) === 0;
      const constant = 1 + pick(6);
      const operand: Dim = isNumber ? constant : symbol(name);
      const number = isNumber ? constant : bindings.get(name)!;
      switch (pick(7)) {
        case 0:
          [dim, value] = [add(dim, operand), value + number];
          break;
        case 1:
          [dim, value] = [sub(dim, operand), value - number];
          break;
        case 2:
          [dim, value] = [mul(dim, operand), value * number];
          break;
        case 3:
          [dim, value] = [floorDiv(dim, operand), Math.floor(value / number)];
          break;
        case 4:
          [dim, value] = [ceilDiv(dim, operand), Math.ceil(value / number)];
          break;
        case 5:
          [dim, value] = [min(dim, operand), Math.min(value, number)];
          break;
        default:
          [dim, value] = [max(dim, operand), Math.max(value, number)];
      }
    }
    if (dim === null) continue;
    // Adding 0 makes −0 the 0 that it is.
    assert.equal(Number(bindDim(dim, bindings)) + 0, value + 0, printDim(dim));
    assert.ok(lowerBound(dim) <= value, `${printDim(dim)} ≥ ${lowerBound(dim)}, but is ${value}`);
  }
});

test('expressions stay small', () => {
  let dim: Dim = N;
  for (let i = 0; i < 200; i++) dim = add(dim, symbol(`s${i}`));
  assert.equal(dim, null);
  assert.equal(mul(N, 2 ** 53), null);
  assert.ok(sameDim(mul(N, H), mul(H, N)));
  assert.ok(!sameDim(null, null));
});
