// A broker and an independent client for the tests of one file. Both end after the last test.
import { afterAll, beforeAll } from 'vitest';
import { whyNoKafka, type Broker } from './broker.ts';
import { independentClient, type IndependentClient } from './independent-client.ts';

interface Started<B> {
  readonly broker: B;
  readonly client: IndependentClient;
}

/**
 * Starts the broker before the first test, and makes it the default connection. Without Kafka on
 * the machine it does nothing. Hooks that a file adds after this call run with the broker:
 * `beforeAll` after its start, `afterAll` before its end.
 */
export function onBroker<B extends Broker>(start: () => Promise<B>, onStart: (started: Started<B>) => void): void {
  let broker: B | undefined;
  let client: IndependentClient | undefined;
  beforeAll(async () => {
    if (whyNoKafka() !== undefined) return;
    broker = await start();
    process.env['SLUICE_BROKERS'] = broker.brokers;
    client = await independentClient(broker.brokers);
    onStart({ broker, client });
  }, 300_000);
  afterAll(async () => {
    await client?.close();
    await broker?.stop();
  });
}
