// How far the logs of splits go that wait for credit. A fetch tells the end of each split that it
// asks for. A split without credit is not asked, for minutes if the consumer is slow, and its lag
// would stand still. So its leader is asked once a second.
import type { Brokers } from './brokers.ts';
import { latestOffset, listOffsets } from './offset-requests.ts';
import type { AssignedSplit, Placement } from './placement.ts';
import type { SplitPlace } from './reader-messages.ts';
import { kafkaErrors } from './requests.ts';

const lookEveryMillis = 1000;

export class LogEnds {
  readonly #brokers: Pick<Brokers, 'ask'>;
  readonly #placement: Pick<Placement, 'ledBy' | 'nodes'>;
  readonly #waits: (split: AssignedSplit) => boolean;
  readonly #onEnds: (ends: readonly SplitPlace[]) => void;
  readonly #timer: NodeJS.Timeout;
  #isAsking = false;

  constructor(
    brokers: Pick<Brokers, 'ask'>,
    placement: Pick<Placement, 'ledBy' | 'nodes'>,
    waits: (split: AssignedSplit) => boolean,
    onEnds: (ends: readonly SplitPlace[]) => void,
  ) {
    this.#brokers = brokers;
    this.#placement = placement;
    this.#waits = waits;
    this.#onEnds = onEnds;
    this.#timer = setInterval(() => void this.#look(), lookEveryMillis);
    this.#timer.unref();
  }
  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    await Promise.all([...this.#placement.nodes()].map((node) => this.#ask(node)));
    this.#isAsking = false;
  }
  async #ask(node: number): Promise<void> {
    // A bounded read knows its end.
    const waiting = this.#placement.ledBy(node).filter((split) => split.end === Infinity && this.#waits(split));
    for (const [topic, splits] of Map.groupBy(waiting, ({ split }) => split.topic)) {
      const partitions = splits.map(({ split }) => ({ partition: split.partition, epoch: -1, time: latestOffset }));
      try {
        const answers = await this.#brokers.ask(node, listOffsets, { topic, partitions });
        const byPartition = new Map(splits.map(({ split, name }) => [split.partition, name]));
        const ends = answers.flatMap(({ partition, error, offset }): SplitPlace[] => {
          const split = byPartition.get(partition);
          return split === undefined || error !== kafkaErrors.none ? [] : [{ split, offset }];
        });
        if (ends.length > 0) this.#onEnds(ends);
      } catch {
        // The next fetch meets the same failure, and reports it.
        return;
      }
    }
  }
}
