import type { GradientCall, GradientRule } from './gradientCall';
import { summedTo, unknown } from './gradientCall';

/** y = f(x), element by element: g · f'(x). */
const each =
  (slope: (call: GradientCall) => string): GradientRule =>
  (call) => [call.build.op('Mul', [call.gradient, slope(call)])];

const one = ({ build }: GradientCall) => build.floats([1]);

/** 1 where a tensor is not 0, else 0. */
const where = ({ build }: GradientCall, x: string) => build.op('Sign', [build.op('Abs', [x])]);

/** 1 where x passes unchanged, else 0. */
function unchanged(call: GradientCall): string {
  const { build, x, y } = call;
  return build.op('Sub', [one(call), where(call, build.op('Sub', [y, x[0]!]))]);
}

/** 1 where 0 < y < 1, else 0. */
function inside(call: GradientCall, y: string): string {
  const { build } = call;
  return where(call, build.op('Mul', [y, build.op('Sub', [one(call), y])]));
}

const sigmoid = (call: GradientCall, x: string) => call.build.op('Sigmoid', [x]);

/** Two operands that broadcast; each with its factor of the gradient. */
const both =
  (first: (call: GradientCall) => string, second: (call: GradientCall) => string): GradientRule =>
  (call) =>
    [first, second].map((of, i) =>
      call.wants(i) ? summedTo(call, of(call), call.x[i]!, call.dims(call.y)) : undefined,
    );

const sameGradient = ({ gradient }: GradientCall) => gradient;

const same: GradientRule = ({ gradient }) => [gradient];

/** Element-wise operators. Where a function has a kink, any value between its slopes. */
export const ELEMENTWISE: readonly (readonly [string, GradientRule])[] = [
  ['Identity', same],
  ['Dropout', same],
  ['Cast', (call) => (call.call.int('to', 1) === 1 && call.call.type(0) === 1 ? same(call) : unknown())],
  ['Neg', ({ build, gradient }) => [build.op('Neg', [gradient])]],
  // max(0, x) is its own mask: 1 where it is above 0.
  ['Relu', each(({ build, y }) => build.op('Sign', [y]))],
  [
    'LeakyRelu',
    each(({ build, call, x }) => {
      const alpha = call.float('alpha', 0.01);
      const sign = build.op('Sign', [x[0]!]);
      return build.op('Add', [
        build.op('Mul', [sign, build.floats([(1 - alpha) / 2])]),
        build.floats([(1 + alpha) / 2]),
      ]);
    }),
  ],
  [
    'PRelu',
    (call) => {
      if (call.wants(1)) unknown();
      const { build, x, gradient } = call;
      const above = build.op('Relu', [build.op('Sign', [x[0]!])]);
      const below = build.op('Mul', [build.op('Sub', [one(call), above]), x[1]!]);
      return [build.op('Mul', [gradient, build.op('Add', [above, below])])];
    },
  ],
  [
    'Elu',
    each((call) => {
      const { build, x, y } = call;
      const above = build.op('Relu', [build.op('Sign', [x[0]!])]);
      // Below 0 the slope is y + α; above, 1.
      const slope = build.op('Add', [y, build.floats([call.call.float('alpha', 1)])]);
      const below = build.op('Mul', [build.op('Sub', [one(call), above]), slope]);
      return build.op('Add', [above, below]);
    }),
  ],
  ['Clip', (call) => (call.wants(1) || call.wants(2) ? unknown() : each(unchanged)(call))],
  [
    'HardSigmoid',
    each((call) =>
      call.build.op('Mul', [inside(call, call.y), call.build.floats([call.call.float('alpha', 0.2)])]),
    ),
  ],
  [
    'HardSwish',
    each((call) => {
      const { build, x } = call;
      const gate = build.op('HardSigmoid', [x[0]!], {
        alpha: { kind: 'float', value: 1 / 6 },
        beta: { kind: 'float', value: 0.5 },
      });
      const rising = build.op('Mul', [x[0]!, build.floats([1 / 6])]);
      return build.op('Add', [gate, build.op('Mul', [rising, inside(call, gate)])]);
    }),
  ],
  ['Sigmoid', each((call) => call.build.op('Mul', [call.y, call.build.op('Sub', [one(call), call.y])]))],
  ['Tanh', each((call) => call.build.op('Sub', [one(call), call.build.op('Mul', [call.y, call.y])]))],
  ['Softplus', each((call) => sigmoid(call, call.x[0]!))],
  ['Exp', each(({ y }) => y)],
  ['Log', each(({ build, x }) => build.op('Reciprocal', [x[0]!]))],
  ['Sqrt', each(({ build, y }) => build.op('Div', [build.floats([0.5]), y]))],
  ['Reciprocal', each(({ build, y }) => build.op('Neg', [build.op('Mul', [y, y])]))],
  ['Abs', each(({ build, x }) => build.op('Sign', [x[0]!]))],
  ['Sin', each(({ build, x }) => build.op('Cos', [x[0]!]))],
  ['Cos', each(({ build, x }) => build.op('Neg', [build.op('Sin', [x[0]!])]))],
  [
    'Erf',
    each(({ build, x }) => {
      const square = build.op('Neg', [build.op('Mul', [x[0]!, x[0]!])]);
      return build.op('Mul', [build.op('Exp', [square]), build.floats([2 / Math.sqrt(Math.PI)])]);
    }),
  ],
  ['Gelu', each(gelu)],
  ['Add', both(sameGradient, sameGradient)],
  ['Sub', both(sameGradient, ({ build, gradient }) => build.op('Neg', [gradient]))],
  [
    'Mul',
    both(
      ({ build, gradient, x }) => build.op('Mul', [gradient, x[1]!]),
      ({ build, gradient, x }) => build.op('Mul', [gradient, x[0]!]),
    ),
  ],
  [
    'Div',
    both(
      ({ build, gradient, x }) => build.op('Div', [gradient, x[1]!]),
      ({ build, gradient, x, y }) =>
        build.op('Neg', [build.op('Div', [build.op('Mul', [gradient, y]), x[1]!])]),
    ),
  ],
  [
    'Pow',
    both(({ build, gradient, x, call }) => {
      if (call.type(1) !== 1) unknown();
      const less = build.op('Sub', [x[1]!, build.floats([1])]);
      const slope = build.op('Mul', [x[1]!, build.op('Pow', [x[0]!, less])]);
      return build.op('Mul', [gradient, slope]);
    }, unknown),
  ],
  [
    'Sum',
    (call) =>
      call.x.map((name, i) =>
        call.wants(i) ? summedTo(call, call.gradient, name, call.dims(call.y)) : undefined,
      ),
  ],
  [
    'Where',
    (call) => {
      const { build, gradient, x, y } = call;
      const zero = build.floats([0]);
      const parts = [
        [gradient, zero],
        [zero, gradient],
      ] as const;
      return [
        undefined,
        ...parts.map((part, i) =>
          call.wants(i + 1)
            ? summedTo(call, build.op('Where', [x[0]!, ...part]), x[i + 1]!, call.dims(y))
            : undefined,
        ),
      ];
    },
  ],
];

/** Φ(x) + x · φ(x), with the normal distribution; its tanh form within 10⁻³ of that. */
function gelu({ build, x }: GradientCall): string {
  const [input = ''] = x;
  const erf = build.op('Erf', [build.op('Mul', [input, build.floats([Math.SQRT1_2])])]);
  const share = build.op('Mul', [build.op('Add', [erf, build.floats([1])]), build.floats([0.5])]);
  const square = build.op('Mul', [build.op('Mul', [input, input]), build.floats([-0.5])]);
  const density = build.op('Mul', [build.op('Exp', [square]), build.floats([1 / Math.sqrt(2 * Math.PI)])]);
  return build.op('Add', [share, build.op('Mul', [input, density])]);
}
