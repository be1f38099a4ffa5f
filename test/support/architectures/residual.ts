import { type Net, type NetBuilder, netBuilder } from './netBuilder';

/** The end of most convolutional networks: the mean of every channel, then one product. */
export function pooledClassifier(net: NetBuilder, x: string, channels: number): Net {
  const pooled = net.node('Flatten', [net.node('GlobalAveragePool', [x])], { axis: 1 });
  return net.build(net.gemm(pooled, channels, 1000));
}

type Block = (net: NetBuilder, x: string, from: number, width: number, stride: number) => string;

/** He et al. 2015, arXiv:1512.03385. */
function resnet(block: Block, expansion: number, depths: readonly number[]): Net {
  const net = netBuilder(224);
  let x = net.convBnRelu(net.input, { from: 3, to: 64, kernel: 7, stride: 2, pad: 3 });
  x = net.pool('MaxPool', x, { kernel: 3, stride: 2, pad: 1 });
  let from = 64;
  for (const [stage, depth] of depths.entries()) {
    const width = 64 << stage;
    for (let i = 0; i < depth; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const to = width * expansion;
      const main = block(net, x, from, width, stride);
      const side =
        stride === 1 && from === to
          ? x
          : net.batchNorm(net.conv(x, { from, to, kernel: 1, stride, bias: false }), to);
      x = net.relu(net.node('Add', [main, side]));
      from = to;
    }
  }
  return pooledClassifier(net, x, from);
}

const basic: Block = (net, x, from, width, stride) => {
  const y = net.convBnRelu(x, { from, to: width, kernel: 3, pad: 1, stride });
  return net.batchNorm(net.conv(y, { from: width, to: width, kernel: 3, pad: 1, bias: false }), width);
};

/** The stride stands on the 3×3, not on the first 1×1 as in the paper: what torchvision calls version 1.5. */
const bottleneck: Block = (net, x, from, width, stride) => {
  let y = net.convBnRelu(x, { from, to: width, kernel: 1 });
  y = net.convBnRelu(y, { from: width, to: width, kernel: 3, pad: 1, stride });
  return net.batchNorm(net.conv(y, { from: width, to: 4 * width, kernel: 1, bias: false }), 4 * width);
};

export const resnet18 = (): Net => resnet(basic, 1, [2, 2, 2, 2]);
export const resnet50 = (): Net => resnet(bottleneck, 4, [3, 4, 6, 3]);

/** Sandler et al. 2018, arXiv:1801.04381: narrow ends, wide depthwise middle. */
export function mobilenet_v2(): Net {
  const net = netBuilder(224);
  const relu6 = (x: string) => net.node('Clip', [x, '', '']);
  const conv = (x: string, from: number, to: number, kernel: number, stride = 1, group = 1) =>
    net.batchNorm(net.conv(x, { from, to, kernel, stride, group, pad: (kernel - 1) / 2, bias: false }), to);
  let x = relu6(conv(net.input, 3, 32, 3, 2));
  let from = 32;
  for (const [factor, to, repeats, firstStride] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? firstStride : 1;
      const wide = from * factor;
      let y = factor === 1 ? x : relu6(conv(x, from, wide, 1));
      y = relu6(conv(y, wide, wide, 3, stride, wide));
      y = conv(y, wide, to, 1);
      x = stride === 1 && from === to ? net.node('Add', [x, y]) : y;
      from = to;
    }
  }
  return pooledClassifier(net, relu6(conv(x, 320, 1280, 1)), 1280);
}

/** Huang et al. 2016, arXiv:1608.06993: every layer reads all before it; normalisation comes first. */
export function densenet121(): Net {
  const net = netBuilder(224);
  const growth = 32;
  const conv = (x: string, from: number, to: number, kernel: number) =>
    net.conv(net.relu(net.batchNorm(x, from)), { from, to, kernel, pad: (kernel - 1) / 2, bias: false });
  let x = net.convBnRelu(net.input, { from: 3, to: 64, kernel: 7, stride: 2, pad: 3 });
  x = net.pool('MaxPool', x, { kernel: 3, stride: 2, pad: 1 });
  let channels = 64;
  const depths = [6, 12, 24, 16];
  for (const [stage, depth] of depths.entries()) {
    const all = [x];
    for (let i = 0; i < depth; i++) {
      const joined = all.length > 1 ? net.concat(1, ...all) : x;
      all.push(conv(conv(joined, channels, 4 * growth, 1), 4 * growth, growth, 3));
      channels += growth;
    }
    x = net.concat(1, ...all);
    if (stage === depths.length - 1) break;
    x = net.pool('AveragePool', conv(x, channels, channels / 2, 1), { kernel: 2, stride: 2 });
    channels /= 2;
  }
  return pooledClassifier(net, net.relu(net.batchNorm(x, channels)), channels);
}
