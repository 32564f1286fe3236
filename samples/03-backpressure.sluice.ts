// %% [markdown]
// # Who holds the stream back?
// One slow operator makes everything before it wait. The panel names it.
//
// A thousand readings a second come from the source; the second cell takes about five milliseconds for each. Run all cells: readings do not
// pile up in memory, they are not lost, they wait where they come from.

// %% id=readings
import { avg, backpressure, count, generate, tumbling } from 'sluice';

const readings = generate({ rate: 1000, seed: 3, timestamp: 'at' }, ({ n, random, now }) => ({
  n,
  sensor: `s${Math.floor(random() * 4) + 1}`,
  celsius: Math.round(180 + 40 * Math.sin(n / 2000) + 20 * random()) / 10,
  at: now,
}));
readings.show({ rows: 5 });

// %% id=calibrated
interface Reading {
  n: number;
  sensor: string;
  celsius: number;
  at: Date;
}
/** Stands for something expensive: it keeps the thread busy for five milliseconds. */
function calibrate(reading: Reading): Reading {
  const began = performance.now();
  while (performance.now() - began < 5);
  return { ...reading, celsius: reading.celsius - 0.4 };
}
const calibrated = readings.map(calibrate);

// %% id=averages
const averages = calibrated.keyBy('sensor').window(tumbling('1s')).aggregate({ celsius: avg('celsius'), readings: count() });
averages.chart({ mark: 'line', x: 'windowStart', y: 'celsius', color: 'sensor', last: '1m', title: 'Average temperature' });

// %% [markdown]
// ## The panel
// *Busy* is work, *backpressured* is waiting for room further down. The culprit is the busy one that the others wait for. Take the loop out of
// `calibrate`, run its cell again, and watch the shares go down.

// %% id=panel
backpressure();
