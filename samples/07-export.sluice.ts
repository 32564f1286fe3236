// %% [markdown]
// # From a topic to a job
// The last step: what was tried here runs on a server, day and night. The notebook stays as it is.
//
// It needs a broker: `npm run kafka` in a clone of Sluice starts one, fills the topic `orders`, and says its address. Put that address into
// `SLUICE_BROKERS`.

// %% id=orders
import { count, kafka, param, sum, tumbling } from 'sluice';

interface Order {
  id: string;
  country: string;
  amount: number;
  createdAt: string;
}
const orders = kafka<Order>('orders', {
  from: 'earliest',
  timestamp: 'createdAt',
  watermark: { outOfOrderness: '10s', idleness: '30s' },
});
orders;

// %% [markdown]
// ## 1. Try it
// Look at the chart until the numbers are right. Change a cell, and the others go on. A parameter is what the job should not have fixed: here the
// smallest amount that counts.

// %% id=totals
const least = param('least', 0);
const large = orders.filter((order) => order.amount >= least);
const totals = large.keyBy('country').window(tumbling('1m')).aggregate({ orders: count(), amount: sum('amount') });
totals.chart({ mark: 'line', x: 'windowStart', y: 'amount', color: 'country', last: '1h', title: 'Amount by country and minute' });

// %% [markdown]
// ## 2. Say where it goes
// A job needs a sink. With `exactly-once` each total is in the topic once, also after a crash. The cell only shows what it would write, until you arm it.

// %% id=out
totals.to('country-totals', { key: 'country', delivery: 'exactly-once', create: { partitions: 2 } });

// %% [markdown]
// ## 3. Ask what would go
//
//     sluice check samples/07-export.sluice.ts --target node
//
// It says beforehand what cannot go into a job, at the place in the cell: a socket that a function captures, a notebook without a sink. Here
// it says nothing.
//
// ## 4. Export it
//
//     sluice export samples/07-export.sluice.ts --target node --out country-totals
//
// The folder stands alone. The command lists what stays in the notebook: the chart above, and the table of orders. They are for looking, and no sink
// needs them. The README of the folder draws the graph and lists each environment variable.
//
// ## 5. Start it here
//
//     cd country-totals
//     npm ci
//     SLUICE_BROKERS=127.0.0.1:9092 SLUICE_PARAM_least=10 npm start
//
// Its log is one JSON object a line. `http://127.0.0.1:8080/ready` answers when it reads the topic, and `/metrics` has its figures for Prometheus.
// Kill it with `kill -9` and start it again: it goes on from its last checkpoint. Each checkpoint commits its offsets to the group
// `07-export`, so every monitor of lag sees the job.
//
// ## 6. Deploy it
//
//     docker build -t 07-export .
//     docker run --stop-timeout 40 -v country-totals:/state -e SLUICE_BROKERS=broker:9092 07-export
//
// or fill in `SLUICE_BROKERS` in `kubernetes/job.yaml` and run `kubectl apply -f kubernetes/`. The volume holds the checkpoints. One instance runs at
// a time; a second one with the same application id is refused.
//
// ## 7. Change it
// - **Another parameter or another cell**: export again, and start the new job from the state of the old one, under a new id:
//   `SLUICE_APPLICATION_ID=totals-2 SLUICE_START=savepoint:/state/07-export`.
// - **Everything from the beginning**: only another id, `SLUICE_APPLICATION_ID=totals-3`.
// - **A look at its state**: `sluice run samples/07-export.sluice.ts --from-savepoint /state/07-export --dry` goes on from there without writing.
