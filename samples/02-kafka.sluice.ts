// %% [markdown]
// # From a topic to a topic
// Reads the Kafka topic `orders`, counts by country and minute, and writes the counts to another topic.
//
// It needs a broker: the setting `sluice.brokers`, or `SLUICE_BROKERS=host:port` in the environment. `npm run kafka` in a clone of Sluice
// starts one and fills `orders`. Looking leaves no trace: no consumer group, no commits, no new topics. The topic holds JSON like
// `{"id": "o-1", "country": "CH", "amount": 12.5, "createdAt": "2026-01-31T12:00:00Z"}`.

// %% id=orders
import { count, kafka, sum, tumbling } from 'sluice';

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
// ## A minute at a time
// Four partitions or forty: time is as far as the slowest of them, and a partition that is silent for thirty seconds is not waited for.

// %% id=totals
const totals = orders.keyBy('country').window(tumbling('1m')).aggregate({ orders: count(), amount: sum('amount') });
totals.chart({ mark: 'line', x: 'windowStart', y: 'amount', color: 'country', last: '1h', title: 'Amount by country and minute' });

// %% [markdown]
// ## Into a topic
// A sink is a preview until it is armed: the rows below would be written. Arm it with the button on the cell, or run the notebook with
// `sluice run`, where sinks are armed.

// %% id=out
totals.to('order-totals', { key: 'country' });

// %% [markdown]
// ## What could not be read
// A record that is not JSON, or has no `createdAt`, stops nothing. It goes here, with its offset and the reason.

// %% id=errors
orders.errors.show();
