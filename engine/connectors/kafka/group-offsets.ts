// The offsets that a consumer group has committed. Looking joins no group and commits nothing; the
// right DESCRIBE on the group is enough.
import { SluiceError } from '../../errors/error.ts';
import { type Brokers, TryAgain } from './brokers.ts';
import { findCoordinator } from './coordinator-request.ts';
import { offsetsOfGroup } from './group-requests.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';

export interface CommittedOffset {
  readonly offset: number;
  /** −1: unknown. */
  readonly epoch: number;
}
/**
 * By partition; one without is not in the map. `node`: any broker. Errors: TryAgain,
 * `kafka-not-allowed`, `kafka-failure`.
 */
export async function committedOffsets(
  brokers: Brokers,
  node: number,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, CommittedOffset>> {
  const coordinator = await brokers.ask(node, findCoordinator, { key: group, of: 'group' });
  check(brokers, group, topic, coordinator.error);
  const answer = await brokers.ask(coordinator.node, offsetsOfGroup, { group, of: { topic, partitions } });
  check(brokers, group, topic, answer.error);
  for (const { error } of answer.offsets) check(brokers, group, topic, error);
  const none = -1;
  return new Map(
    answer.offsets
      .filter(({ offset }) => offset !== none)
      .map(({ partition, offset, epoch }) => [partition, { offset, epoch }]),
  );
}

function check(brokers: Brokers, group: string, topic: string, error: number): void {
  if (error === kafkaErrors.none) return;
  if (error === kafkaErrors.topicAuthorizationFailed) throw brokers.notAllowed(topic, 'hidden');
  if (error === kafkaErrors.groupAuthorizationFailed)
    throw new SluiceError(
      'kafka-not-allowed',
      `Reading the offsets of group "${group}" on ${brokers.description} is not allowed: the right DESCRIBE on the group is missing. Ask for it; other rights on the group are not needed. Or give kafka() another \`from\`.`,
      { group, topic, missing: 'DESCRIBE' },
    );
  if (passesByItself(error))
    throw new TryAgain(`the offsets of group "${group}" cannot be read now: ${errorName(error)}`);
  throw new SluiceError(
    'kafka-failure',
    `The offsets of group "${group}" on ${brokers.description} cannot be read: ${errorName(error)}.`,
    { group, topic, error },
  );
}
