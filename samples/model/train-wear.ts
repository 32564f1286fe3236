// Trains the tiny network of sample 05 and writes it as ONNX: `node samples/model/train-wear.ts [file]`. Everything is seeded, so it always writes the same bytes.
//
// What it learns is made up: a bearing wears out when it shakes hard, or shakes and is hot. Two inputs (vibration in mm/s, temperature in °C), six hidden units with
// tanh, one output: the probability of wear. The shift and scale of the inputs are folded into the first layer, so the model takes plain readings.
import { writeFileSync } from 'node:fs';

const hidden = 6;
/** Mean and spread of vibration and temperature in the examples. */
const mean = [5, 70] as const;
const spread = [2.5, 12] as const;

function isWorn(vibration: number, celsius: number): boolean {
  return vibration > 8 || (vibration > 4.5 && celsius > 82);
}

interface Network {
  /** By hidden unit: a weight per input. */
  readonly inner: number[][];
  readonly innerBias: number[];
  readonly outer: number[];
  outerBias: number;
}

function train(): Network {
  const random = mulberry32(20);
  const weight = (): number => random() - 0.5;
  const network: Network = {
    inner: Array.from({ length: hidden }, () => [weight(), weight()]),
    innerBias: Array.from({ length: hidden }, weight),
    outer: Array.from({ length: hidden }, weight),
    outerBias: 0,
  };
  const examples = Array.from({ length: 4000 }, () => [10 * random(), 50 + 40 * random()] as const);
  for (let round = 0; round < 60; round++)
    for (const [vibration, celsius] of examples) {
      const input = [(vibration - mean[0]) / spread[0], (celsius - mean[1]) / spread[1]];
      const activations = network.inner.map((weights, unit) =>
        Math.tanh(weights[0]! * input[0]! + weights[1]! * input[1]! + network.innerBias[unit]!),
      );
      const logit = activations.reduce((sum, value, unit) => sum + value * network.outer[unit]!, network.outerBias);
      const error = sigmoid(logit) - (isWorn(vibration, celsius) ? 1 : 0);
      const rate = 0.05 / (1 + round / 20);
      activations.forEach((value, unit) => {
        const back = error * network.outer[unit]! * (1 - value * value);
        network.outer[unit]! -= rate * error * value;
        network.innerBias[unit]! -= rate * back;
        input.forEach((one, at) => (network.inner[unit]![at]! -= rate * back * one));
      });
      network.outerBias -= rate * error;
    }
  return network;
}

/** Takes plain readings; rounded, so that the last bits of a machine's tanh change nothing. */
function folded({ inner, innerBias, outer, outerBias }: Network): Network {
  const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;
  return {
    inner: inner.map((weights) => weights.map((value, at) => rounded(value / spread[at]!))),
    innerBias: innerBias.map((bias, unit) =>
      rounded(inner[unit]!.reduce((sum, value, at) => sum - (value * mean[at]!) / spread[at]!, bias)),
    ),
    outer: outer.map(rounded),
    outerBias: rounded(outerBias),
  };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// ------------------------------------------------------------------------------------------------ ONNX: protocol buffers, by the field numbers of onnx.proto

type Field = readonly [number: number, value: number | string | Uint8Array];

function message(...fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.from([...varint(number << 3), ...varint(value)]);
      const bytes = Buffer.from(value);
      return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes]);
    }),
  );
}
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}
const floats = 1;
function tensor(name: string, dims: readonly number[], values: readonly number[]): Uint8Array {
  const raw = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, at) => raw.setFloat32(4 * at, value, true));
  return message(...dims.map((dim): Field => [1, dim]), [2, floats], [8, name], [9, new Uint8Array(raw.buffer)]);
}
function node(operator: string, inputs: readonly string[], output: string): Uint8Array {
  return message(...inputs.map((input): Field => [1, input]), [2, output], [3, output], [4, operator]);
}
/** A matrix of so many columns and any number of rows. */
function matrix(name: string, columns: number): Uint8Array {
  const shape = message([1, message([2, 'rows'])], [1, message([1, columns])]);
  return message([1, name], [2, message([1, message([1, floats], [2, shape])])]);
}

function wearModel(): Uint8Array {
  const { inner, innerBias, outer, outerBias } = folded(train());
  const graph = message(
    [1, node('Gemm', ['readings', 'inner', 'innerBias'], 'sums')],
    [1, node('Tanh', ['sums'], 'activations')],
    [1, node('Gemm', ['activations', 'outer', 'outerBias'], 'logit')],
    [1, node('Sigmoid', ['logit'], 'wear')],
    [2, 'wear'],
    [
      5,
      tensor(
        'inner',
        [2, hidden],
        [0, 1].flatMap((at) => inner.map((weights) => weights[at]!)),
      ),
    ],
    [5, tensor('innerBias', [hidden], innerBias)],
    [5, tensor('outer', [hidden, 1], outer)],
    [5, tensor('outerBias', [1], [outerBias])],
    [11, matrix('readings', 2)],
    [12, matrix('wear', 1)],
  );
  const irVersion = 8;
  const operators = message([1, ''], [2, 13]);
  return message([1, irVersion], [2, 'sluice sample'], [7, graph], [8, operators]);
}

writeFileSync(process.argv[2] ?? new URL('../data/wear.onnx', import.meta.url), wearModel());
