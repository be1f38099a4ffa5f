/** Convolution weights of classic networks, [out, in, kh, kw], from the papers' tables. */

/** VGG-16 (Simonyan & Zisserman 2014, table 1, column D). */
export function vgg16(): readonly (readonly number[])[] {
  const widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
  return widths.map((out, i) => [out, i === 0 ? 3 : widths[i - 1]!, 3, 3]);
}

/** ResNet-50 (He et al. 2015, table 1), projections included. */
export function resnet50(): readonly (readonly number[])[] {
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
