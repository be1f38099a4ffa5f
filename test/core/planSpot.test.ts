import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PlanSpot, planSpot } from '../../src/core/compress/parsePlanFile';

/** The spot at the bar of a text, with the text that would be replaced. */
function at(marked: string): (PlanSpot & { readonly piece: string }) | undefined {
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const spot = planSpot(text, offset);
  if (!spot) return undefined;
  const { replace } = spot;
  return { ...spot, piece: text.slice(replace.offset, replace.offset + replace.length) };
}

describe('what may be written in a plan', () => {
  it('is a layer where an entry begins, whole or not', () => {
    for (const [text, piece, hasEntry, isFollowed] of [
      ['{ "layers": { | } }', '', false, false],
      ['{ "layers": { "|" } }', '""', false, false],
      ['{ "layers": { "fe|" } }', '"fe"', false, false],
      ['{ "layers": { "a": {}, "fe|at": { "dense": "" } } }', '"feat"', true, false],
      ['{ "layers": { "f|"\n "b": {} } }', '"f"', false, true],
      ['{ "layers": { |"b": {} } }', '"b"', true, false],
      ['{ "layers": { "a": {},\n  |\n  "b": {} } }', '', false, true],
    ] as const) {
      const spot = at(text);
      assert.ok(spot?.kind === 'layer', text);
      assert.deepEqual([spot.piece, spot.hasEntry, spot.isFollowed], [piece, hasEntry, isFollowed], text);
    }
  });

  it('is a method, ranks and a goal where their values stand', () => {
    const method = at('{ "layers": { "a": { "method": "s|v" } } }');
    assert.ok(method?.kind === 'method');
    assert.deepEqual([method.layer, method.piece], ['a', '"sv"']);
    assert.equal(at('{ "layers": { "a": { "method": | } } }')?.kind, 'method');
    for (const list of ['[|]', '[1|6]', '[16, |]', '[16, 2|4]']) {
      const ranks = at(`{ "layers": { "a": { "method": "svd", "ranks": ${list} } } }`);
      assert.ok(ranks?.kind === 'ranks', list);
      assert.deepEqual([ranks.layer, ranks.method, ranks.piece], ['a', 'svd', list.replace('|', '')]);
    }
    const goal = at('{ "goal": "mac|s" }');
    assert.deepEqual([goal?.kind, goal?.piece], ['goal', '"macs"']);
  });

  it('is nothing elsewhere', () => {
    for (const text of [
      '|',
      '{ "|" }',
      '{ "seed": | }',
      '{ "layers": { "a": { "|" } } }',
      '{ "layers": { "a": { "dense": "|" } } }',
      '{ "model": { "file": "|" } }',
    ])
      assert.equal(at(text), undefined, text);
  });
});
