// %% [markdown]
// # Counting that survives a kill
// The classic first job of Flink adds up the frequencies of words, and each sum is in the topic once.
//
// Words come from a topic, each with a frequency and a time. Every new sum goes to another topic. Kill the job whenever you like.
//
// It needs a broker: `npm run kafka` in a clone of Sluice starts one and says its address. Then
//
//     SLUICE_BROKERS=127.0.0.1:9092 npm run -s sluice -- run samples/06-exactly-once.sluice.ts --state /tmp/word-counts
//
// runs the notebook as a job that keeps its checkpoints in that folder. `kill -9` it and run the command again: it goes on from the last one. In
// VS Code arm the two sinks, and choose *Resume* after a kill.

// %% id=settings
import { configure, generate, kafka } from 'sluice';

// After a failure the job waits ten seconds and starts again from its last checkpoint. The fifth failure ends it.
configure({
  checkpoint: { interval: '5s' },
  restart: { kind: 'fixed-delay', attempts: 4, delay: '10s' },
});

// %% [markdown]
// ## Something to count
// This cell stands for another program. It creates the topic `words`, and writes ten words a second to it. Leave the cell out if you have such
// a topic of your own.

// %% id=fill
const text = 'the quick brown fox jumps over the lazy dog while the other dog sleeps'.split(' ');
const spoken = generate({ rate: 10, seed: 6 }, ({ n, random, now }) => ({
  word: text[n % text.length]!,
  frequency: 1 + Math.floor(random() * 3),
  at: now,
}));
spoken.to('words', { key: 'word', create: { partitions: 2 } });

// %% [markdown]
// ## From the topic
// The time of a word is its field `at`, and words may be a second out of order: that is Flink's watermark extractor. The name of the topic is a
// pattern, so the source waits until the topic exists.

// %% id=words
interface Word {
  word: string;
  frequency: number;
  at: string;
}
const words = kafka<Word>(/^words$/, { from: 'earliest', timestamp: 'at', watermark: { outOfOrderness: '1s' } });
words;

// %% [markdown]
// ## A rolling addition
// One running sum for each word. A sum is state: it is in each checkpoint, together with the position in the topic.

// %% id=totals
const totals = words
  .keyBy('word')
  .reduce((total, next) => ({ ...next, frequency: total.frequency + next.frequency }));
totals.chart({ mark: 'bar', x: 'word', y: 'frequency', last: 100, title: 'The newest sums' });

// %% [markdown]
// ## Into a topic, once
// With `exactly-once` the sink writes in transactions, one for each checkpoint, and commits a transaction when its checkpoint is on disk. So
// the sums arrive every five seconds, all at once. After a kill, what was written since the last checkpoint is discarded and computed again.
//
// Readers need the isolation level `read_committed`; with another one they also see what is discarded:
//
//     kcat -b 127.0.0.1:9092 -C -t word-counts -X isolation.level=read_committed

// %% id=out
totals.to('word-counts', { key: 'word', delivery: 'exactly-once', create: { partitions: 2 } });
