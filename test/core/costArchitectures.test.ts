import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graphMacs } from '../../src/core/onnx/cost';
import { bindDim, printDim } from '../../src/core/onnx/shapes/dim';
import { inferShapes } from '../../src/core/onnx/shapes/inferShapes';
import { googlenet, inception_v3 } from '../support/architectures/inception';
import type { Net } from '../support/architectures/netBuilder';
import { alexnet, squeezenet1_1, vgg16 } from '../support/architectures/plain';
import { densenet121, mobilenet_v2, resnet18, resnet50 } from '../support/architectures/residual';
import { convnext_tiny, swin_t, vit_b_16 } from '../support/architectures/transformers';

const openExternal = () => assert.fail('no external file was expected');

/** What torchvision publishes: "GFLOPS" (they are multiply-accumulates) and parameters. */
const PUBLISHED: readonly (readonly [build: () => Net, gmacs: string, parameters: number])[] = [
  [alexnet, '0.714', 61_100_840],
  [vgg16, '15.470', 138_357_544],
  [squeezenet1_1, '0.349', 1_235_496],
  [resnet18, '1.814', 11_689_512],
  [resnet50, '4.089', 25_557_032],
  [mobilenet_v2, '0.301', 3_504_872],
  [densenet121, '2.834', 7_978_856],
  [googlenet, '1.498', 6_624_904],
  // Published with the auxiliary classifier, which only training uses: 3,326,696 of 27,161,264.
  [inception_v3, '5.713', 27_161_264 - 3_326_696],
  [convnext_tiny, '4.456', 28_589_128],
  [vit_b_16, '17.564', 86_567_656],
  [swin_t, '4.491', 28_288_354],
];

for (const [build, gmacs, parameters] of PUBLISHED) {
  test(`${build.name} costs ${gmacs} GMACs, as published`, () => {
    const net = build();
    const shapes = inferShapes(net.model, { bind: new Map(), openExternal });
    const { total, unknown } = graphMacs(net.model, shapes);
    assert.deepEqual(unknown, []);
    assert.equal(((total as number) / 1e9).toFixed(3), gmacs);
    assert.equal(net.parameters, parameters);
    // Every value's shape is known: nothing was counted by luck.
    for (const node of net.model.graph.nodes) {
      const shape = shapes.get(node.outputs[0]!)?.shape;
      assert.ok(
        shape?.every((d) => typeof d === 'number'),
        `${node.name}: ${shape?.map(printDim)}`,
      );
    }
    assert.deepEqual(shapes.get(net.model.graph.outputs[0]!.name)?.shape, [1, 1000]);
  });
}

test('with a free batch the count is per symbol, and bound it is the published one', () => {
  const { model } = vgg16('N');
  const shapes = inferShapes(model, { bind: new Map(), openExternal });
  const { total, unknown } = graphMacs(model, shapes);
  assert.deepEqual(unknown, []);
  assert.equal(printDim(total), '15470264320*N');
  assert.equal(bindDim(total, new Map([['N', 2]])), 2 * 15_470_264_320);
});
