import { type Net, netBuilder } from './netBuilder';
import { pooledClassifier } from './residual';

/** Szegedy et al. 2014, arXiv:1409.4842, as torchvision has it: normalised, and 3×3 where the paper has 5×5. */
export function googlenet(): Net {
  const net = netBuilder(224);
  const conv = (x: string, from: number, to: number, kernel: number) =>
    net.convBnRelu(x, { from, to, kernel, pad: (kernel - 1) / 2 });
  const pool = (x: string, kernel = 3) => net.pool('MaxPool', x, { kernel, stride: 2, ceil: true });
  let channels = 192;
  const inception = (
    x: string,
    one: number,
    [narrow3, wide3]: [number, number],
    [narrow5, wide5]: [number, number],
    pooled: number,
  ) => {
    const from = channels;
    channels = one + wide3 + wide5 + pooled;
    return net.concat(
      1,
      conv(x, from, one, 1),
      conv(conv(x, from, narrow3, 1), narrow3, wide3, 3),
      conv(conv(x, from, narrow5, 1), narrow5, wide5, 3),
      conv(net.pool('MaxPool', x, { kernel: 3, pad: 1, ceil: true }), from, pooled, 1),
    );
  };
  let x = pool(net.convBnRelu(net.input, { from: 3, to: 64, kernel: 7, stride: 2, pad: 3 }));
  x = pool(conv(conv(x, 64, 64, 1), 64, 192, 3));
  x = inception(x, 64, [96, 128], [16, 32], 32);
  x = pool(inception(x, 128, [128, 192], [32, 96], 64));
  x = inception(x, 192, [96, 208], [16, 48], 64);
  x = inception(x, 160, [112, 224], [24, 64], 64);
  x = inception(x, 128, [128, 256], [24, 64], 64);
  x = inception(x, 112, [144, 288], [32, 64], 64);
  x = pool(inception(x, 256, [160, 320], [32, 128], 128), 2);
  x = inception(x, 256, [160, 320], [32, 128], 128);
  x = inception(x, 384, [192, 384], [48, 128], 128);
  return pooledClassifier(net, x, channels);
}

type Kernel = number | readonly [number, number];

/** Szegedy et al. 2015, arXiv:1512.00567, on 299×299, without the auxiliary classifier of training. */
export function inception_v3(): Net {
  const net = netBuilder(299);
  const conv = (x: string, from: number, to: number, kernel: Kernel, stride = 1, pad: Kernel = 0) =>
    net.convBnRelu(x, { from, to, kernel, stride, pad });
  /** A chain of convolutions that keep the picture's size. */
  const chain = (x: string, from: number, ...links: readonly (readonly [to: number, kernel: Kernel])[]) => {
    let y = x;
    let width = from;
    for (const [to, kernel] of links) {
      const [height, breadth] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
      y = conv(y, width, to, kernel, 1, [(height - 1) / 2, (breadth - 1) / 2]);
      width = to;
    }
    return y;
  };
  const max = (x: string) => net.pool('MaxPool', x, { kernel: 3, stride: 2 });
  const mean = (x: string) => net.pool('AveragePool', x, { kernel: 3, pad: 1 });

  const a = (x: string, from: number, pooled: number) =>
    net.concat(
      1,
      chain(x, from, [64, 1]),
      chain(x, from, [48, 1], [64, 5]),
      chain(x, from, [64, 1], [96, 3], [96, 3]),
      chain(mean(x), from, [pooled, 1]),
    );
  const c = (x: string, width: number) =>
    net.concat(
      1,
      chain(x, 768, [192, 1]),
      chain(x, 768, [width, 1], [width, [1, 7]], [192, [7, 1]]),
      chain(x, 768, [width, 1], [width, [7, 1]], [width, [1, 7]], [width, [7, 1]], [192, [1, 7]]),
      chain(mean(x), 768, [192, 1]),
    );
  const e = (x: string, from: number) => {
    const fork = (y: string) => [chain(y, 384, [384, [1, 3]]), chain(y, 384, [384, [3, 1]])];
    return net.concat(
      1,
      chain(x, from, [320, 1]),
      ...fork(chain(x, from, [384, 1])),
      ...fork(chain(x, from, [448, 1], [384, 3])),
      chain(mean(x), from, [192, 1]),
    );
  };

  let x = conv(conv(net.input, 3, 32, 3, 2), 32, 32, 3);
  x = max(chain(x, 32, [64, 3]));
  x = max(conv(chain(x, 64, [80, 1]), 80, 192, 3));
  x = a(a(a(x, 192, 32), 256, 64), 288, 64);
  x = net.concat(1, conv(x, 288, 384, 3, 2), conv(chain(x, 288, [64, 1], [96, 3]), 96, 96, 3, 2), max(x));
  for (const width of [128, 160, 160, 192]) x = c(x, width);
  x = net.concat(
    1,
    conv(chain(x, 768, [192, 1]), 192, 320, 3, 2),
    conv(chain(x, 768, [192, 1], [192, [1, 7]], [192, [7, 1]]), 192, 192, 3, 2),
    max(x),
  );
  x = e(e(x, 1280), 2048);
  return pooledClassifier(net, x, 2048);
}
