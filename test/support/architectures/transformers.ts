import { type Net, type NetBuilder, netBuilder } from './netBuilder';

/** Dosovitskiy et al. 2020, arXiv:2010.11929: base, patches of 16×16, attention as plain matrix products. */
export function vit_b_16(): Net {
  const net = netBuilder(224);
  const [width, heads, tokens] = [768, 12, 197];
  const patches = net.conv(net.input, { from: 3, to: width, kernel: 16, stride: 16 });
  let x = net.transpose(net.reshape(patches, 1, width, tokens - 1), 0, 2, 1);
  x = net.concat(1, net.weight(1, 1, width), x);
  x = net.node('Add', [x, net.weight(1, tokens, width)]);
  for (let i = 0; i < 12; i++) {
    x = net.node('Add', [attention(net, net.layerNorm(x, width), 1, tokens, width, heads), x]);
    x = net.node('Add', [x, feedForward(net, net.layerNorm(x, width), width)]);
  }
  const first = net.node('Gather', [net.layerNorm(x, width), net.node('Squeeze', [net.ints(0)])], {
    axis: 1,
  });
  return net.build(net.gemm(first, width, 1000));
}

function feedForward(net: NetBuilder, x: string, width: number): string {
  return net.linear(net.gelu(net.linear(x, width, 4 * width)), 4 * width, width);
}

/** Self-attention on [groups, tokens, width]; `bias` is added to the scores. */
function attention(
  net: NetBuilder,
  x: string,
  groups: number,
  tokens: number,
  width: number,
  heads: number,
  bias?: string,
): string {
  const packed = net.reshape(net.linear(x, width, 3 * width), groups, tokens, 3, heads, width / heads);
  const parts = net.transpose(packed, 2, 0, 3, 1, 4);
  const [q, k, v] = [0, 1, 2].map((i) =>
    net.node('Gather', [parts, net.node('Squeeze', [net.ints(i)])], { axis: 0 }),
  ) as [string, string, string];
  const scores = net.node('MatMul', [q, net.transpose(k, 0, 1, 3, 2)]);
  const weights = net.node('Softmax', [bias ? net.node('Add', [scores, bias]) : scores], { axis: -1 });
  const joined = net.transpose(net.node('MatMul', [weights, v]), 0, 2, 1, 3);
  return net.linear(net.reshape(joined, groups, tokens, width), width, width);
}

/** Liu et al. 2021, arXiv:2103.14030: attention inside windows of 7×7, every second time shifted by 3. */
export function swin_t(): Net {
  const net = netBuilder(224);
  let width = 96;
  let side = 56;
  let x = net.transpose(net.conv(net.input, { from: 3, to: width, kernel: 4, stride: 4 }), 0, 2, 3, 1);
  x = net.layerNorm(x, width);
  const depths = [2, 2, 6, 2];
  for (const [stage, depth] of depths.entries()) {
    for (let i = 0; i < depth; i++) {
      // A picture of one window has nothing to shift.
      const shift = i % 2 === 1 && side > 7 ? 3 : 0;
      const windows = windowAttention(net, net.layerNorm(x, width), side, width, 3 << stage, shift);
      x = net.node('Add', [x, windows]);
      x = net.node('Add', [x, feedForward(net, net.layerNorm(x, width), width)]);
    }
    if (stage === depths.length - 1) break;
    x = merged(net, x, width);
    width *= 2;
    side /= 2;
  }
  const pooled = net.node('GlobalAveragePool', [net.transpose(net.layerNorm(x, width), 0, 3, 1, 2)]);
  return net.build(net.gemm(net.node('Flatten', [pooled], { axis: 1 }), width, 1000));
}

function slice(net: NetBuilder, x: string, axis: number, start: number, end: number, step = 1): string {
  return net.node('Slice', [x, net.ints(start), net.ints(end), net.ints(axis), net.ints(step)]);
}

/** Rotates both picture axes: torch.roll. */
function rolled(net: NetBuilder, x: string, shift: number): string {
  let y = x;
  for (const axis of [1, 2]) {
    const [head, tail] = [slice(net, y, axis, shift, 1e6), slice(net, y, axis, 0, shift)];
    y = net.concat(axis, head, tail);
  }
  return y;
}

function windowAttention(
  net: NetBuilder,
  x: string,
  side: number,
  width: number,
  heads: number,
  shift: number,
): string {
  const [size, across] = [7, side / 7];
  let y = shift ? rolled(net, x, shift) : x;
  y = net.transpose(net.reshape(y, 1, across, size, across, size, width), 0, 1, 3, 2, 4, 5);
  y = net.reshape(y, across * across, size * size, width);
  // One learned number per head and relative position, looked up for every pair of places.
  const table = net.weight((2 * size - 1) ** 2, heads);
  const found = net.node('Gather', [table, net.ints(...new Array<number>(size ** 4).fill(0))], { axis: 0 });
  const bias = net.transpose(net.reshape(found, size * size, size * size, heads), 2, 0, 1);
  const unsqueezed = net.node('Unsqueeze', [bias, net.ints(0)]);
  y = attention(net, y, across * across, size * size, width, heads, unsqueezed);
  y = net.transpose(net.reshape(y, 1, across, across, size, size, width), 0, 1, 3, 2, 4, 5);
  y = net.reshape(y, 1, side, side, width);
  return shift ? rolled(net, y, -shift) : y;
}

/** Four neighbours become one place of twice the width. */
function merged(net: NetBuilder, x: string, width: number): string {
  const at = (row: number, column: number) => slice(net, slice(net, x, 1, row, 1e6, 2), 2, column, 1e6, 2);
  const joined = net.concat(-1, at(0, 0), at(1, 0), at(0, 1), at(1, 1));
  return net.linear(net.layerNorm(joined, 4 * width), 4 * width, 2 * width, false);
}

/** Liu et al. 2022, arXiv:2201.03545: depthwise 7×7, then a perceptron at every place. */
export function convnext_tiny(): Net {
  const net = netBuilder(224);
  const channelsLast = (x: string) => net.transpose(x, 0, 2, 3, 1);
  const channelsFirst = (x: string) => net.transpose(x, 0, 3, 1, 2);
  const norm = (x: string, width: number) => channelsFirst(net.layerNorm(channelsLast(x), width));
  let width = 96;
  let x = norm(net.conv(net.input, { from: 3, to: width, kernel: 4, stride: 4 }), width);
  const depths = [3, 3, 9, 3];
  for (const [stage, depth] of depths.entries()) {
    for (let i = 0; i < depth; i++) {
      const y = net.conv(x, { from: width, to: width, kernel: 7, pad: 3, group: width });
      const z = channelsFirst(feedForward(net, net.layerNorm(channelsLast(y), width), width));
      x = net.node('Add', [net.node('Mul', [z, net.weight(width, 1, 1)]), x]);
    }
    if (stage === depths.length - 1) break;
    x = net.conv(norm(x, width), { from: width, to: 2 * width, kernel: 2, stride: 2 });
    width *= 2;
  }
  const pooled = norm(net.node('GlobalAveragePool', [x]), width);
  return net.build(net.gemm(net.node('Flatten', [pooled], { axis: 1 }), width, 1000));
}
