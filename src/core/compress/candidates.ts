import type { FormedLayer } from './layer';
import type { Candidate, MethodChoice } from './method';
import { channel } from './methods/channel';
import { embedding } from './methods/embedding';
import { spatial } from './methods/spatial';
import { svd } from './methods/svd';

/**
 * Every method that fits a layer. A choice other than 'auto' keeps that method where it fits; the plain `svd` of a
 * matrix stands for all of them.
 */
export function candidatesOf({ form }: FormedLayer, choice: MethodChoice): readonly Candidate[] {
  switch (form.kind) {
    case 'none':
      return [];
    case 'matmul':
      return [svd(form)];
    case 'embedding':
      return [embedding(form)];
    case 'conv': {
      const isPlane = form.kernel.length === 2 && form.kernel.some((k) => k > 1);
      const all = isPlane ? [channel(form), spatial(form)] : [channel(form)];
      return choice === 'auto' ? all : all.filter((c) => c.method === choice || c.method === 'svd');
    }
  }
}
