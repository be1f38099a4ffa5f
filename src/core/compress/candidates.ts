import type { ConvForm, Form, FormedLayer, MatMulForm } from './layer';
import { AUTO_METHODS, type Candidate, METHOD_IDS, type MethodChoice, type MethodId } from './method';
import { btd } from './methods/btd';
import { channel } from './methods/channel';
import { cp } from './methods/cp';
import { cp3 } from './methods/cp3';
import { dcf } from './methods/dcf';
import { embedding } from './methods/embedding';
import { filterGroups, group } from './methods/group';
import { inputChannel } from './methods/inputChannel';
import { ringModes } from './methods/matrixRing';
import { spatial } from './methods/spatial';
import { svd } from './methods/svd';
import { tr } from './methods/tr';
import { trMatrix } from './methods/trMatrix';
import { tt } from './methods/tt';
import { ttMatrix } from './methods/ttMatrix';
import { tucker2 } from './methods/tucker2';

/** A method on a layer, or why it does not fit, as a sentence. */
type Fit = Candidate | string;

/** Methods that are made for convolutions: matrices are left to `svd` where one of them is asked for. */
const FOR_CONVOLUTIONS: readonly MethodId[] = METHOD_IDS.filter((id) => !['svd', 'tt', 'tr'].includes(id));

/** The methods that a choice allows for a layer; without any, why. */
export function candidatesOf(
  { form }: Pick<FormedLayer, 'form'>,
  choice: MethodChoice,
): { readonly candidates: readonly Candidate[]; readonly reason?: string } {
  if (form.kind === 'none') return { candidates: [], reason: form.reason };
  const wanted = choice === 'auto' ? AUTO_METHODS : [choice];
  const fits = wanted.map((method) => candidateOf(form, method));
  const candidates = fits.filter((fit) => typeof fit !== 'string');
  if (candidates.length > 0) return { candidates };
  if (choice !== 'auto' && FOR_CONVOLUTIONS.includes(choice) && isMatrix(form)) {
    const plain = candidateOf(form, 'svd');
    if (typeof plain !== 'string') return { candidates: [plain] };
  }
  return { candidates: [], reason: fits.find((fit) => typeof fit === 'string')! };
}

/** One method on one form of a layer, or the reason why it does not fit. */
export function candidateOf(form: Form, method: MethodId): Fit {
  switch (form.kind) {
    case 'embedding':
      return method === 'svd' ? embedding(form) : 'Tables of embeddings are factored by svd only.';
    case 'matmul':
      return matrixCandidate(form, method);
    case 'conv':
      return isMatrix(form) ? pointCandidate(form, method) : convolutionCandidate(form, method);
  }
}

function isMatrix(form: Form): boolean {
  return form.kind !== 'conv' || form.kernel.every((extent) => extent === 1);
}

function matrixCandidate(form: MatMulForm, method: MethodId): Fit {
  if (method === 'svd') return svd(form);
  if (method !== 'tt' && method !== 'tr')
    return `${method} is for convolutions; a matrix is factored by svd, tt or tr.`;
  if (form.isFused) return `${method} does not carry over what a fused operator does beyond multiplying.`;
  if (form.side === 'left') return `${method} is for x · W; here the weight stands on the left.`;
  if (form.lead.length > 0) return `${method} is for a single matrix; this weight is a batch of them.`;
  if (form.inputOrder === null || form.inputOrder < 2)
    return `${method} needs an input whose number of axes is known, and the same wherever the weight is used.`;
  const modes = ringModes(form);
  if (!modes) return `${method} needs sizes with divisors; ${form.inner} × ${form.outer} has none that fit.`;
  return method === 'tt' ? ttMatrix(form, modes) : trMatrix(form, modes);
}

function pointCandidate(form: ConvForm, method: MethodId): Fit {
  if (method === 'svd') return channel(form);
  return `${method} needs a kernel wider than 1; this convolution is a matrix, which svd factors.`;
}

function convolutionCandidate(form: ConvForm, method: MethodId): Fit {
  const kernel = form.kernel.join(' × ');
  const isPlane = form.kernel.length === 2;
  const needsPlane = `${method} needs a kernel with two axes, not ${kernel}.`;
  const needsOneGroup = `${method} needs a convolution in one group; this one has ${form.groups}.`;
  switch (method) {
    case 'svd':
      return `svd is for matrices; for a kernel of ${kernel} it is called channel.`;
    case 'channel':
      return channel(form);
    case 'input-channel':
      return inputChannel(form);
    case 'tucker2':
      return tucker2(form);
    case 'cp3':
      return cp3(form);
    case 'spatial':
      return isPlane ? spatial(form) : needsPlane;
    case 'cp':
      return isPlane ? cp(form) : needsPlane;
    case 'tt':
      return isPlane ? tt(form) : needsPlane;
    case 'tr':
      if (!isPlane) return needsPlane;
      return form.groups === 1 ? tr(form) : needsOneGroup;
    case 'btd':
      return form.groups === 1 ? btd(form) : needsOneGroup;
    case 'dcf':
      return form.groups === 1 ? dcf(form) : needsOneGroup;
    case 'group': {
      if (form.groups > 1) return needsOneGroup;
      const channels = form.groupChannels;
      return filterGroups(form).length > 0
        ? group(form)
        : `group divides the input channels, and ${channels} can't be divided by 2.`;
    }
  }
}
