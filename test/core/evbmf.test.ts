import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evbmfRank } from '../../src/core/compress/ranks/evbmf';
import type { Spectrum } from '../../src/core/compress/spectrum';
import cases from './data/evbmf.json';

/** A spectrum with these singular values. */
function spectrumOf(sigma: readonly number[], scale = 1): Spectrum {
  const energies = Float64Array.from(sigma, (s) => (scale * s) ** 2);
  return { energies, total: energies.reduce((sum, e) => sum + e, 0) };
}

function close(actual: number, expected: number, tolerance: number, what: string) {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${what}: ${actual}, ${expected}`);
}

for (const { name, rows, cols, sigma, rank, noiseVariance, shrunk } of cases) {
  test(`as an independent minimisation of the free energy: ${name}, ${rows} x ${cols}`, () => {
    const found = evbmfRank(spectrumOf(sigma), rows, cols);
    if (rank === 0) {
      assert.ok(found.kind === 'none' && /stands out/.test(found.reason));
      return;
    }
    assert.ok(found.kind === 'rank');
    assert.equal(found.rank, rank);
    close(found.noiseVariance, noiseVariance, 1e-7, 'noise variance');
    assert.equal(found.shrunk.length, rank);
    for (const [h, value] of shrunk.entries()) close(found.shrunk[h]!, value, 1e-6, `value ${h}`);
  });
}
