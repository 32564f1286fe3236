// Laws of the batches of one partition: whatever a broker answers and whenever a connection breaks,
// the log has each row once and in order, and no batch is forgotten.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  mostInFlight,
  PartitionQueue,
  type Outcome,
  type QueuedBatch,
} from '../../connectors/kafka/partition-queue.ts';

/** A batch that is the list of its rows. */
class Rows {
  readonly rows: readonly number[];
  constructor(rows: readonly number[]) {
    this.rows = rows;
  }
  get count(): number {
    return this.rows.length;
  }
  get size(): number {
    return 61 + this.rows.length;
  }
  halves(): readonly [Rows, Rows] {
    const middle = Math.ceil(this.count / 2);
    return [new Rows(this.rows.slice(0, middle)), new Rows(this.rows.slice(middle))];
  }
}
type Sent = QueuedBatch<Rows>;

/** A leader's log with the rules of Kafka for sequences. */
class Log {
  readonly rows: number[] = [];
  readonly #mostRows: number;
  /** The last batches of the producer, at most five. */
  #known: { id: bigint; epoch: number; batches: { first: number; next: number }[] } | undefined;
  constructor(mostRows: number) {
    this.#mostRows = mostRows;
  }
  append({ batch, stamp }: Sent): Outcome {
    if (batch.count > this.#mostRows && batch.count > 1) return 'halves';
    if (stamp) {
      const outcome = this.#check(stamp.producer.id, stamp.producer.epoch, stamp.sequence, batch.count);
      if (outcome !== 'new') return outcome;
    }
    this.rows.push(...batch.rows);
    return 'written';
  }
  #check(id: bigint, epoch: number, first: number, count: number): Outcome | 'new' {
    const known = this.#known;
    const batch = { first, next: (first + count) % 2 ** 31 };
    if (!known || known.id !== id) {
      // A broker without a memory of the producer takes any sequence.
      this.#known = { id, epoch, batches: [batch] };
      return 'new';
    }
    if (epoch < known.epoch) return 'forgotten';
    if (epoch > known.epoch) {
      if (first !== 0) return 'outOfSequence';
      this.#known = { id, epoch, batches: [batch] };
      return 'new';
    }
    if (known.batches.some((one) => one.first === first && one.next === batch.next)) return 'written';
    if (known.batches.at(-1)!.next !== first) return 'outOfSequence';
    known.batches = [...known.batches, batch].slice(-5);
    return 'new';
  }
  forget(): void {
    this.#known = undefined;
  }
}

type Step =
  | { readonly kind: 'add'; readonly rows: number }
  | { readonly kind: 'send' }
  /** The broker works on the oldest request. */
  | { readonly kind: 'process' }
  /** It refuses the oldest request without writing it: too few replicas, or it is no leader. */
  | { readonly kind: 'refuse' }
  /** The client gets the oldest answer. */
  | { readonly kind: 'answer' }
  /** The client gets no answer to what is under way. The broker may still work on some of it. */
  | { readonly kind: 'break'; readonly keeps: number }
  | { readonly kind: 'late' }
  | { readonly kind: 'moveLeader' }
  | { readonly kind: 'forget' };

const usual: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add'), rows: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 5, arbitrary: fc.constant({ kind: 'send' } as const) },
  { weight: 5, arbitrary: fc.constant({ kind: 'process' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'refuse' } as const) },
  { weight: 5, arbitrary: fc.constant({ kind: 'answer' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('break'), keeps: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'late' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'moveLeader' } as const) },
);
const forgetting = fc.oneof(
  { weight: 10, arbitrary: usual },
  { weight: 1, arbitrary: fc.constant({ kind: 'forget' } as const) },
);
const schedule = (step: fc.Arbitrary<Step>) => fc.array(step, { minLength: 1, maxLength: 120, size: 'max' });

class World {
  readonly queue: PartitionQueue<Rows>;
  readonly log: Log;
  added = 0;
  /** Requests that the broker has not worked on, and answers that the client has not got. */
  #requests: Sent[] = [];
  #answers: { readonly sent: Sent; readonly outcome: Outcome }[] = [];
  /** Requests that the client has given up, and the broker may still get. */
  #stray: Sent[] = [];
  #node = 1;
  #wasWritten = false;

  constructor(isIdempotent: boolean, mostRows: number) {
    this.queue = new PartitionQueue(isIdempotent);
    if (isIdempotent) this.queue.renew({ id: 7n, epoch: 0 });
    this.log = new Log(mostRows);
  }
  get #underWay(): number {
    return this.#requests.length + this.#answers.length;
  }

  do(step: Step): void {
    switch (step.kind) {
      case 'add': {
        const rows = Array.from({ length: step.rows }, () => this.added++);
        return this.queue.add(new Rows(rows));
      }
      case 'send':
        return this.#send();
      case 'process': {
        const sent = this.#requests.shift();
        if (sent) this.#answers.push({ sent, outcome: this.log.append(sent) });
        return;
      }
      case 'refuse': {
        const sent = this.#requests.shift();
        if (sent) this.#answers.push({ sent, outcome: 'again' });
        return;
      }
      case 'answer': {
        const answer = this.#answers.shift();
        if (!answer) return;
        this.#wasWritten ||= answer.outcome === 'written';
        return this.queue.answered(answer.sent, answer.outcome);
      }
      case 'break': {
        const lost = [...this.#answers.map(({ sent }) => sent), ...this.#requests];
        this.#stray.push(...this.#requests.slice(0, step.keeps));
        this.#requests = [];
        this.#answers = [];
        for (const sent of lost.toReversed()) this.queue.answered(sent, 'again');
        return;
      }
      case 'late': {
        const sent = this.#stray.shift();
        // The log refuses what it has already, and what does not follow.
        if (sent) this.log.append(sent);
        return;
      }
      case 'moveLeader':
        this.#node++;
        return;
      case 'forget':
        return this.log.forget();
      default:
        step satisfies never;
    }
  }
  #send(): void {
    if (!this.queue.hasWaiting || !this.queue.mayTake(this.#node)) return;
    this.#requests.push(this.queue.take(this.#node));
    assert.ok(this.#underWay <= (this.#wasWritten ? mostInFlight : 1), 'a broker remembers five batches');
  }
  /** From now on the broker answers everything. */
  end(): void {
    for (let i = 0; i < 10_000 && !this.queue.isEmpty; i++)
      for (const kind of ['send', 'process', 'answer'] as const) this.do({ kind });
    assert.ok(this.queue.isEmpty, 'no batch is forgotten');
    assert.equal(this.queue.bytes, 0);
  }
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test('with idempotence, each row is in the log once and in order, for any answers and breaks', () => {
  fc.assert(
    fc.property(schedule(usual), fc.integer({ min: 1, max: 9 }), (steps, mostRows) => {
      const world = new World(true, mostRows);
      for (const step of steps) world.do(step);
      world.end();
      assert.deepEqual(world.log.rows, upTo(world.added));
    }),
    { numRuns: 2000 },
  );
});

test('with a broker that forgets the producer, each row is in the log at least once', () => {
  fc.assert(
    fc.property(schedule(forgetting), fc.integer({ min: 1, max: 9 }), (steps, mostRows) => {
      const world = new World(true, mostRows);
      for (const step of steps) world.do(step);
      world.end();
      assert.deepEqual(
        [...new Set(world.log.rows)].sort((a, b) => a - b),
        upTo(world.added),
      );
    }),
    { numRuns: 1000 },
  );
});

test('without idempotence, each row is in the log at least once, and first occurrences are in order', () => {
  fc.assert(
    fc.property(schedule(usual), (steps) => {
      const world = new World(false, 9);
      for (const step of steps) if (step.kind !== 'late') world.do(step);
      world.end();
      assert.deepEqual([...new Set(world.log.rows)], upTo(world.added));
    }),
    { numRuns: 1000 },
  );
});

test('a forgotten producer begins again at sequence 0 of the next epoch, with all its batches', () => {
  const queue = new PartitionQueue<Rows>(true);
  queue.renew({ id: 7n, epoch: 3 });
  queue.add(new Rows([0]));
  queue.answered(queue.take(1), 'written');
  for (const row of [1, 2, 3]) queue.add(new Rows([row]));
  const sent = [queue.take(1), queue.take(1)];
  assert.deepEqual(sent[1]!.stamp, { producer: { id: 7n, epoch: 3 }, sequence: 2 });
  queue.answered(sent[1]!, 'outOfSequence');
  assert.ok(!queue.mayTake(1), 'the first batch has no answer yet');
  queue.answered(sent[0]!, 'outOfSequence');
  const again = queue.take(1);
  assert.deepEqual([again.batch.rows, again.stamp], [[1], { producer: { id: 7n, epoch: 4 }, sequence: 0 }]);
  assert.ok(!queue.mayTake(1), 'the broker has to know the new epoch first');
});

test('a later batch out of sequence waits for the earlier one and keeps its number', () => {
  const queue = new PartitionQueue<Rows>(true);
  queue.renew({ id: 7n, epoch: 3 });
  queue.add(new Rows([0]));
  queue.answered(queue.take(1), 'written');
  for (const row of [1, 2]) queue.add(new Rows([row]));
  const [first, second] = [queue.take(1), queue.take(1)];
  queue.answered(first, 'again');
  queue.answered(second, 'outOfSequence');
  const again = queue.take(1);
  assert.deepEqual(again.stamp, first.stamp);
  // A broker recognises only its last five batches, so a batch that is sent again is alone.
  assert.ok(!queue.mayTake(1));
  queue.answered(again, 'written');
  assert.deepEqual(queue.take(1).stamp, second.stamp);
});

test('a producer whose epochs are used up needs a new number', () => {
  const queue = new PartitionQueue<Rows>(true);
  assert.ok(queue.needsProducer);
  queue.renew({ id: 7n, epoch: 2 ** 15 - 1 });
  queue.add(new Rows([0]));
  queue.answered(queue.take(1), 'forgotten');
  assert.ok(queue.needsProducer && !queue.mayTake(1));
  queue.renew({ id: 8n, epoch: 0 });
  assert.deepEqual(queue.take(1).stamp, { producer: { id: 8n, epoch: 0 }, sequence: 0 });
});

test('sequences have 31 bits and begin again at 0', () => {
  const queue = new PartitionQueue<Rows>(true);
  queue.renew({ id: 7n, epoch: 0 });
  // A batch that is only its count: 2^31 rows fit in no memory.
  const wide = { count: 2 ** 31 - 1, size: 61, rows: [], halves: () => [wide, wide] as const };
  for (const batch of [wide, new Rows([1, 2]), new Rows([3])]) queue.add(batch);
  queue.answered(queue.take(1), 'written');
  assert.equal(queue.take(1).stamp!.sequence, 2 ** 31 - 1);
  assert.equal(queue.take(1).stamp!.sequence, 1);
});

test('batches for a new leader wait until the former one has answered', () => {
  const queue = new PartitionQueue<Rows>(true);
  queue.renew({ id: 7n, epoch: 0 });
  for (const row of [0, 1]) queue.add(new Rows([row]));
  queue.answered(queue.take(1), 'written');
  queue.add(new Rows([2]));
  const sent = queue.take(1);
  assert.ok(queue.mayTake(1) && !queue.mayTake(2));
  queue.answered(sent, 'written');
  assert.ok(queue.mayTake(2));
});
