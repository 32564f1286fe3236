// Notices that a partition has lost records that were read: after an election the new leader may
// have a shorter log, and others may have written in the place of the lost records.
import { SluiceError } from '../../errors/error.ts';
import { TryAgain, type Brokers } from './brokers.ts';
import { topicMadeAgain, type Leader } from './leaders.ts';
import { offsetsForLeaderEpoch, type EndOfEpoch } from './offset-requests.ts';
import { errorName, kafkaErrors } from './requests.ts';
import { nameOf, type SplitPosition } from './split.ts';

/**
 * Asks the leader where the epoch of each position ends in its log. The positions are of one topic
 * and of partitions that this node leads. Returns the problems by the names of the splits.
 */
export async function checkPositions(
  brokers: Brokers,
  node: number,
  positions: readonly (SplitPosition & { readonly leader: Leader })[],
): Promise<ReadonlyMap<string, TryAgain | SluiceError>> {
  const { topic } = positions[0]!;
  const partitions = positions.map(({ partition, leader, epoch }) => ({ partition, leaderEpoch: leader.epoch, epoch }));
  const answers = await brokers.ask(node, offsetsForLeaderEpoch, { topic, partitions });
  const problems = new Map<string, TryAgain | SluiceError>();
  for (const position of positions) {
    const answer = answers.find(({ partition }) => partition === position.partition);
    const problem = problemOf(brokers, node, position, answer);
    if (problem) problems.set(nameOf(position), problem);
  }
  return problems;
}
function problemOf(
  brokers: Pick<Brokers, 'notAllowed'>,
  node: number,
  position: SplitPosition,
  answer: EndOfEpoch | undefined,
): TryAgain | SluiceError | undefined {
  if (!answer) return new TryAgain(`broker ${node} does not answer for ${nameOf(position)}`);
  if (answer.error === kafkaErrors.topicAuthorizationFailed) return brokers.notAllowed(position.topic, 'hidden');
  if (answer.error === kafkaErrors.none) return truncationOf(position, answer);
  // As Java's client does with every error here: without an answer nobody knows what is lost.
  // (A leader whose epoch is smaller than one that this client knows has not caught up yet.)
  return new TryAgain(`${nameOf(position)} answers ${errorName(answer.error)}`);
}

/** undefined: nothing is lost. */
export function truncationOf(position: SplitPosition, { epoch, endOffset }: EndOfEpoch): SluiceError | undefined {
  // The leader's log has no epoch as large as the one of the records that were read.
  if (endOffset < 0) return topicMadeAgain(position);
  if (endOffset >= position.offset) return undefined;
  return new SluiceError(
    'kafka-truncated',
    `${nameOf(position)} lost records that were read: the source had read up to offset ${position.offset} under the leader of epoch ${position.epoch}, and the present leader has only those up to offset ${endOffset} of epoch ${epoch}. Other records may stand in their place. Run the cell again to start anew.`,
    { topic: position.topic, partition: position.partition, offset: position.offset, end: endOffset },
  );
}
