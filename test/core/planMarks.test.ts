import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePlanFile } from '../../src/core/compress/parsePlanFile';
import { failureMark, type PlanMark, problemMarks, remarkMarks } from '../../src/core/compress/planMarks';
import type { PlanRemark } from '../../src/core/compress/planReview';

const TEXT = `{
  "model": { "file": "net.onnx", "sha256": "ab" },
  "goal": "macs=0.5",
  "layers": {
    "conv": { "method": "svd", "ranks": [7] },
    "fc": { "dense": "It is small." }
  }
}`;
const parsed = parsePlanFile(TEXT);
const pieces = (marks: readonly PlanMark[], text = TEXT) =>
  marks.map(({ offset, length }) => text.slice(offset, offset + length));

describe('what is said of a plan', () => {
  it('stands at the part it is about', () => {
    const remark = (part: PlanRemark['part'], layer?: string): PlanRemark => ({
      code: 'better',
      severity: 'information',
      message: 'Well.',
      part,
      ...(layer === undefined ? {} : { layer }),
    });
    const marks = remarkMarks(parsed, [
      remark('name', 'conv'),
      remark('method', 'conv'),
      remark('ranks', 'conv'),
      // A layer that stays as it is has neither: its whole entry.
      remark('ranks', 'fc'),
      remark('goal'),
      remark('model'),
    ]);
    assert.deepEqual(pieces(marks), [
      '"conv"',
      '"svd"',
      '[7]',
      '{ "dense": "It is small." }',
      '"macs=0.5"',
      '{ "file": "net.onnx", "sha256": "ab" }',
    ]);
    const { code, severity, message } = marks[0]!;
    assert.deepEqual([code, severity, message], ['better', 'information', 'Well.']);
  });

  it('stands where the model is named, or at the start, if there is no review', () => {
    assert.deepEqual(pieces([failureMark(parsed, 'Gone.')]), ['{ "file": "net.onnx", "sha256": "ab" }']);
    const { offset, length } = failureMark(parsePlanFile('{}'), 'Gone.');
    assert.deepEqual([offset, length], [0, 0]);
  });

  it('tells problems of the text by their kind', () => {
    const kinds = (text: string) => problemMarks(parsePlanFile(text)).map(({ code }) => code);
    assert.ok(kinds(TEXT.slice(0, -1)).includes('syntax'));
    assert.ok(kinds(TEXT).every((code) => code === 'form'));
    const wrong = TEXT.replace('svd', 'svdd');
    const found = problemMarks(parsePlanFile(wrong)).filter(({ code }) => code === 'unknown-method');
    assert.deepEqual(pieces(found, wrong), ['"svdd"']);
    assert.ok(problemMarks(parsePlanFile(wrong)).every(({ severity }) => severity === 'error'));
  });
});
