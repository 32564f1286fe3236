// %% [markdown]
// # A model that learns as it goes
// How much power does a house draw when it is cold? Each house has a model of its own, which predicts every reading before it learns from it.
//
// The models are keyed state: two numbers per house, kept in snapshots like any other state. Nothing is trained beforehand and nothing is stored
// outside. Run the cells one after the other.

// %% id=meters
import { avg, count, generate, tumbling, valueState } from 'sluice';

// A degree of cold costs each house its own; the south house gets a better boiler after three thousand readings.
const meters = generate({ rate: 200, seed: 4, timestamp: 'at' }, ({ n, random, now }) => {
  const house = n % 2 === 0 ? 'north' : 'south';
  const perDegree = house === 'north' ? 0.3 : n < 3000 ? 0.2 : 0.1;
  const celsius = 2 + 5 * Math.sin(n / 150) + 12 * random();
  return { house, at: now, celsius, kilowatts: 1 + perDegree * (20 - celsius) + 0.4 * (random() - 0.5) };
});
meters.show({ rows: 5 });

// %% [markdown]
// ## Predict, then learn
// Linear regression by stochastic gradient descent: the prediction is `base + slope · cold`; what it missed by moves both, a little at a time.
// `learningRate` is how much a little is. Change it and run the cell again: the models go on from where they are.

// %% id=predictions
interface Model {
  base: number;
  slope: number;
}
const learningRate = 0.1;
const predictions = meters.keyBy('house').process({
  state: { model: valueState<Model>() },
  *onElement({ house, at, celsius, kilowatts }, { state }) {
    const { base, slope } = state.model.get() ?? { base: 0, slope: 0 };
    const cold = (20 - celsius) / 10;
    const predicted = base + slope * cold;
    const missed = kilowatts - predicted;
    state.model.set({ base: base + learningRate * missed, slope: slope + learningRate * missed * cold });
    yield { house, at, kilowatts, predicted, off: Math.abs(missed), perDegree: slope / 10 };
  },
});
predictions.chart({ mark: 'line', x: 'at', y: 'predicted', color: 'house', last: '30s', title: 'Predicted kilowatts' });

// %% [markdown]
// ## Does it learn?
// The mean error per second falls to the noise that nobody can predict, 0.1 kW. After fifteen seconds the south house gets its boiler: its error jumps, and falls again.

// %% id=errors
const errors = predictions.keyBy('house').window(tumbling('1s')).aggregate({ error: avg('off'), readings: count() });
errors.chart({ mark: 'line', x: 'windowStart', y: 'error', color: 'house', last: '1m', title: 'Mean error in kilowatts' });

// %% [markdown]
// ## What has it learned?
// Kilowatts per degree: 0.3 in the north; in the south 0.2 and then 0.1. Nobody told it.

// %% id=learned
predictions.chart({ mark: 'line', x: 'at', y: 'perDegree', color: 'house', last: '1m', title: 'Kilowatts per degree, as learned' });
