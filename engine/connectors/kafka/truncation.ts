// Notices that a partition has lost records that were read: after an election the new leader may
// have a shorter log, and others may have written in the place of the lost records.
import { SluiceError } from '../../errors/error.ts';
import { TryAgain, type Brokers } from './brokers.ts';
import { topicMadeAgain, type Leader } from './leaders.ts';
import { offsetsForLeaderEpoch, type EndOfEpoch } from './offset-requests.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';
import { nameOf, type SplitPosition } from './split.ts';

/**
 * Asks the leader where the epoch of each position ends in its log. The positions are of one topic
 * and of partitions that this node leads.
 */
export async function checkPositions(
  brokers: Brokers,
  node: number,
  positions: readonly (SplitPosition & { readonly leader: Leader })[],
): Promise<void> {
  const { topic } = positions[0]!;
  const partitions = positions.map(({ partition, leader, epoch }) => ({ partition, leaderEpoch: leader.epoch, epoch }));
  const answers = await brokers.ask(node, offsetsForLeaderEpoch, { topic, partitions });
  for (const position of positions) {
    const answer = answers.find(({ partition }) => partition === position.partition);
    if (!answer) throw new TryAgain(`broker ${node} does not answer for ${nameOf(position)}`);
    if (answer.error === kafkaErrors.topicAuthorizationFailed) throw brokers.notAllowed(topic);
    // A leader whose epoch is smaller than one that this client knows has not caught up yet.
    if (passesByItself(answer.error)) throw new TryAgain(`${nameOf(position)} answers ${errorName(answer.error)}`);
    if (answer.error === kafkaErrors.none) checkTruncation(position, answer);
  }
}

export function checkTruncation(position: SplitPosition, { epoch, endOffset }: EndOfEpoch): void {
  // The leader's log has no epoch as large as the one of the records that were read.
  if (endOffset < 0) throw topicMadeAgain(position);
  if (endOffset >= position.offset) return;
  throw new SluiceError(
    'kafka-truncated',
    `${nameOf(position)} lost records that were read: the source had read up to offset ${position.offset} under the leader of epoch ${position.epoch}, and the present leader has only those up to offset ${endOffset} of epoch ${epoch}. Other records may stand in their place. Run the cell again to start anew.`,
    { topic: position.topic, partition: position.partition, offset: position.offset, end: endOffset },
  );
}
