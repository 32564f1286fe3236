// How long a transaction of a Kafka sink may stay open.
import { commitsRows } from './kinds.ts';
import { SluiceError } from '../errors/error.ts';
import type { PlanNode } from './plan.ts';

/** Of a Kafka sink that does not say: the broker's own limit, transaction.max.timeout.ms. */
export const defaultTransactionMillis = 900_000;

/**
 * Checks the transactions of a plan against the time between two checkpoints. A transaction is open
 * for as long. Error: `bad-option`.
 */
export function checkTransactionTimeouts(nodes: readonly PlanNode[], intervalMillis: number): void {
  for (const node of nodes) {
    if (node.kind !== 'kafkaSink' || !commitsRows(node)) continue;
    const { topic, transactionTimeoutMillis = defaultTransactionMillis } = node.parameters;
    if (transactionTimeoutMillis > intervalMillis) continue;
    throw new SluiceError(
      'bad-option',
      `The transactionTimeout of to("${topic}") is ${transactionTimeoutMillis / 1000} s, and a checkpoint is taken every ${intervalMillis / 1000} s. The broker would abort each transaction before its commit. Give to() a longer transactionTimeout, or configure() a shorter checkpoint.interval.`,
      { topic, transactionTimeoutMillis, intervalMillis },
    );
  }
}
