// %% [markdown]
// # A first chart
// One week of earthquakes, in the order in which the world came to know of them.
//
// The file is replayed 1,800 times as fast as it happened: five and a half minutes for the week. Run the cells one after the other. Each
// joins the stream that is already running; none of them starts it again.

// %% id=quakes
import { count, file, max, tumbling } from 'sluice';

interface Quake {
  time: string;
  updated: string;
  magnitude: number;
  place: string;
  depth: number;
  longitude: number;
  latitude: number;
}
const quakes = file<Quake>('data/earthquakes.jsonl', { timestamp: 'time', watermark: { outOfOrderness: '12h' }, speed: 1800 });
quakes.chart({ mark: 'point', x: 'time', y: 'magnitude', last: '7d', title: 'Earthquakes by magnitude' });

// %% [markdown]
// ## Waiting for the late ones
// A count needs an end: how many in these six hours? Reports come late, some by days, so the count of a window is given once
// nothing older than twelve hours is expected any more. Until then the line under the chart says what it waits for.

// %% id=counts
const counts = quakes.windowAll(tumbling('6h')).aggregate({ quakes: count(), strongest: max('magnitude') });
counts.chart({ mark: 'bar', x: 'windowStart', y: 'quakes', last: '7d', title: 'Earthquakes in six hours' });

// %% [markdown]
// ## Later than that
// What comes after its window has closed is not lost: here it is. With `outOfOrderness: '1d'` in the first cell fewer rows come too late, and
// every count comes later. Change it, and run that cell again.

// %% id=late
counts.late.show({ rows: 20 });
