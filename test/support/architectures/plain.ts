import { type Net, type NetBuilder, netBuilder } from './netBuilder';

/** Krizhevsky 2014, arXiv:1404.5997 ("one weird trick"), as torchvision has it. */
export function alexnet(): Net {
  const net = netBuilder(224);
  const pool = (x: string) => net.pool('MaxPool', x, { kernel: 3, stride: 2 });
  const conv = (x: string, from: number, to: number, kernel: number, pad: number, stride = 1) =>
    net.relu(net.conv(x, { from, to, kernel, pad, stride }));
  let x = pool(conv(net.input, 3, 64, 11, 2, 4));
  x = pool(conv(x, 64, 192, 5, 2));
  x = conv(x, 192, 384, 3, 1);
  x = conv(x, 384, 256, 3, 1);
  x = pool(conv(x, 256, 256, 3, 1));
  return net.build(perceptron(net, x, 256 * 36));
}

/** Simonyan and Zisserman 2014, arXiv:1409.1556, configuration D. */
export function vgg16(batch: number | string = 1): Net {
  const net = netBuilder(224, batch);
  let x = net.input;
  let from = 3;
  for (const [to, convs] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ] as const) {
    for (let i = 0; i < convs; i++) {
      x = net.relu(net.conv(x, { from, to, kernel: 3, pad: 1 }));
      from = to;
    }
    x = net.pool('MaxPool', x, { kernel: 2, stride: 2 });
  }
  return net.build(perceptron(net, x, 512 * 49));
}

function perceptron(net: NetBuilder, x: string, features: number): string {
  let y = net.node('Flatten', [x], { axis: 1 });
  y = net.relu(net.gemm(y, features, 4096));
  y = net.relu(net.gemm(y, 4096, 4096));
  return net.gemm(y, 4096, 1000);
}

/** Iandola et al. 2016, arXiv:1602.07360, version 1.1. */
export function squeezenet1_1(): Net {
  const net = netBuilder(224);
  const pool = (x: string) => net.pool('MaxPool', x, { kernel: 3, stride: 2, ceil: true });
  const fire = (x: string, from: number, squeezed: number, expanded: number) => {
    const s = net.relu(net.conv(x, { from, to: squeezed, kernel: 1 }));
    const expand = { from: squeezed, to: expanded };
    return net.concat(
      1,
      net.relu(net.conv(s, { ...expand, kernel: 1 })),
      net.relu(net.conv(s, { ...expand, kernel: 3, pad: 1 })),
    );
  };
  let x = pool(net.relu(net.conv(net.input, { from: 3, to: 64, kernel: 3, stride: 2 })));
  x = pool(fire(fire(x, 64, 16, 64), 128, 16, 64));
  x = pool(fire(fire(x, 128, 32, 128), 256, 32, 128));
  x = fire(fire(x, 256, 48, 192), 384, 48, 192);
  x = fire(fire(x, 384, 64, 256), 512, 64, 256);
  x = net.relu(net.conv(x, { from: 512, to: 1000, kernel: 1 }));
  return net.build(net.node('Flatten', [net.node('GlobalAveragePool', [x])], { axis: 1 }));
}
