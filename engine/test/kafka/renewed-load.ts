// A load that goes on while log-ins are renewed: one client fills a topic, two sources read it, and
// a sink copies each row to another topic.
import { setTimeout as sleep } from 'node:timers/promises';
import type { IndependentClient } from './independent-client.ts';
import { SinkDriver } from './sink-driver.ts';
import { SourceDriver } from './source-driver.ts';

export interface RenewedLoad {
  readonly source: SourceDriver;
  /** It reads the same topic by TLS. */
  readonly encrypted: SourceDriver;
  readonly sink: SinkDriver;
  /** Rows up to now. */
  readonly sent: number;
  until(condition: () => boolean): Promise<void>;
  /** No further rows. */
  end(): Promise<void>;
  close(): void;
}

/** Connections by name. */
export function startLoad(
  client: IndependentClient,
  names: { readonly source: string; readonly encrypted: string; readonly sink: string },
): RenewedLoad {
  const from = 'earliest';
  const source = new SourceDriver({ topic: 'load', connection: names.source, from });
  const encrypted = new SourceDriver({ topic: 'load', connection: names.encrypted, from });
  const sink = new SinkDriver({ topic: 'written', connection: names.sink, delivery: 'at-least-once', format: 'json' });
  let sent = 0;
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const rows = Array.from({ length: 5 }, (_, index) => ({ value: { n: sent + index } }));
      await client.send('load', rows);
      await sink.write(rows.map(({ value }) => ({ value, timestamp: Date.now() })));
      sent += rows.length;
      await sleep(10);
    }
  })();
  // It is looked at in `end`.
  running.catch(() => undefined);
  return {
    ...{ source, encrypted, sink },
    get sent() {
      return sent;
    },
    async until(condition) {
      for (const deadline = Date.now() + 120_000; !condition(); await sleep(100)) {
        if (Date.now() > deadline) throw new Error(`It did not get there within 120 s: ${sent} rows were sent.`);
        if (source.state === 'failed') throw source.failure;
        if (sink.failure !== undefined) throw sink.failure as Error;
      }
    },
    async end() {
      isOver = true;
      await running;
    },
    close() {
      isOver = true;
      source.close();
      encrypted.close();
      sink.sink.close?.();
    },
  };
}
