/** Weights of classic networks, [out, in, kh, kw] or [out, in], from the papers' tables. */
export interface LayerSet {
  /** What `--sets` calls it. */
  readonly id: string;
  readonly name: string;
  readonly source: string;
  /** In the order they are applied. */
  readonly shapes: readonly (readonly number[])[];
}

export const LAYER_SETS: readonly LayerSet[] = [
  {
    id: 'vgg16',
    name: 'VGG-16',
    source: 'Simonyan & Zisserman 2014, table 1, column D: the convolutions',
    shapes: vgg16(),
  },
  {
    id: 'resnet50',
    name: 'ResNet-50',
    source: 'He et al. 2015, table 1: the convolutions, projections included',
    shapes: resnet50(),
  },
  {
    id: 'bert',
    name: 'BERT-base',
    source:
      'Devlin et al. 2018, §3: 12 blocks (Q, K, V, O and the two of the feed-forward net), and the pooler',
    shapes: bertBase(),
  },
  {
    id: 'block4096',
    name: '4096 block',
    source: 'Touvron et al. 2023 (LLaMA 7B), table 2 and §2.2: one block (Q, K, V, O, gate, up, down)',
    shapes: [...Array.from({ length: 4 }, () => [4096, 4096]), [11008, 4096], [11008, 4096], [4096, 11008]],
  },
];

function vgg16(): readonly (readonly number[])[] {
  const widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
  return widths.map((out, i) => [out, i === 0 ? 3 : widths[i - 1]!, 3, 3]);
}

function resnet50(): readonly (readonly number[])[] {
  const stages: readonly (readonly [blocks: number, width: number])[] = [
    [3, 64],
    [4, 128],
    [6, 256],
    [3, 512],
  ];
  const layers: number[][] = [[64, 3, 7, 7]];
  let channels = 64;
  for (const [blocks, width] of stages) {
    for (let block = 0; block < blocks; block++) {
      layers.push([width, channels, 1, 1], [width, width, 3, 3], [4 * width, width, 1, 1]);
      if (block === 0) layers.push([4 * width, channels, 1, 1]);
      channels = 4 * width;
    }
  }
  return layers;
}

function bertBase(): readonly (readonly number[])[] {
  const width = 768;
  const square = [width, width];
  const block = [square, square, square, square, [4 * width, width], [width, 4 * width]];
  return [...Array.from({ length: 12 }, () => block).flat(), square];
}
