// %% [markdown]
// # A model that was trained before
// Scores a stream with a neural network from a file, and charts how likely each machine is to fail.
//
// The network is in ONNX, the format that PyTorch, scikit-learn and most others export. It runs in this process, in WebAssembly; install the runtime beside
// the notebook: `npm install onnxruntime-web`. The model takes vibration and temperature and gives the probability that a bearing is worn. It was trained on
// made-up examples by `samples/model/train-wear.ts` of Sluice's sources.

// %% id=readings
import { avg, generate, max, tumbling } from 'sluice';

// Three machines; the lathe shakes more and more, until it is serviced every fifteen seconds.
const machines = ['lathe', 'mill', 'press'];
const readings = generate({ rate: 100, seed: 5, timestamp: 'at' }, ({ n, random, now }) => {
  const machine = machines[n % machines.length]!;
  const wear = machine === 'lathe' ? Math.min(8, (n % 1500) / 60) : 0;
  return { machine, at: now, vibration: 3 + 2 * random() + wear, celsius: 72 + 8 * Math.sin(n / 90) + 2 * random() };
});
readings.show({ rows: 5 });

// %% [markdown]
// ## Load it once
// A cell may wait for what it needs. The session is made when this cell runs, and every record after it uses the same one.

// %% id=model
import { readFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-web';

const session = await InferenceSession.create(await readFile(new URL('data/wear.onnx', import.meta.url)));

// %% [markdown]
// ## Score each reading
// The runtime answers with a promise, so this is `mapAsync`: results come in the order of the readings, and one reading is scored at a time.

// %% id=scores
const scores = readings.mapAsync(
  async (reading) => {
    const input = new Tensor('float32', [reading.vibration, reading.celsius], [1, 2]);
    const { wear } = await session.run({ readings: input });
    return { ...reading, wear: Number(wear!.data[0]) };
  },
  { capacity: 1 },
);
scores.chart({ mark: 'line', x: 'at', y: 'wear', color: 'machine', last: '30s', title: 'Probability of wear' });

// %% [markdown]
// ## Which one should be looked at?
// A single reading may be wrong; a second of them is a reason to go and see.

// %% id=alarms
const alarms = scores
  .keyBy('machine')
  .window(tumbling('1s'))
  .aggregate({ wear: avg('wear'), vibration: max('vibration') })
  .filter(({ wear }) => wear > 0.5);
alarms.show();
