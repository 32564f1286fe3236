// What the recorder asks an old broker, by name. The test asks the same.
import { fetchByName } from '../../../connectors/kafka/fetch-request.ts';
import type { BrokerConnection, Exchange } from '../../../connectors/kafka/kafkajs-connection.ts';
import { metadataWithoutIds } from '../../../connectors/kafka/metadata-request.ts';
import {
  earliestOffset,
  latestOffset,
  listOffsets,
  offsetsForLeaderEpoch,
} from '../../../connectors/kafka/offset-requests.ts';
import { initProducerId, produce } from '../../../connectors/kafka/sink-requests.ts';
import { WireReader, WireWriter } from '../../../connectors/kafka/wire.ts';
import { batch, recordsOf } from '../made-batches.ts';

export const topic = 'old';

export interface Asked<Answer> {
  /** The bytes of the request, without its header. */
  request(): Buffer;
  read(answer: Buffer): Answer;
  /** The bytes of the answer, without its header. */
  record(connection: BrokerConnection): Promise<Buffer>;
}
function asked<Question, Answer>(exchange: Exchange<Question, Answer>, question: Question): Asked<Answer> {
  const { api, version } = exchange;
  const write: Exchange<Question, Buffer>['write'] = (writer, one) => exchange.write(writer, one);
  const read = ({ bytes, position }: WireReader): Buffer => Buffer.from(bytes.subarray(position));
  return {
    request() {
      const writer = new WireWriter();
      exchange.write(writer, question);
      return writer.content();
    },
    read: (answer) => exchange.read(new WireReader(answer)),
    record: (connection) => connection.ask({ api, version, write, read }, question, 10_000),
  };
}

function fetched(...partitions: readonly (readonly [partition: number, offset: number])[]) {
  const from = partitions.map(([partition, offset]) => ({ partition, leaderEpoch: 0, offset, maxBytes: 1 << 20 }));
  const topics = [{ topic, id: undefined, partitions: from }];
  return asked(fetchByName, { maxWaitMillis: 100, maxBytes: 1 << 20, topics });
}
function offsets(time: number) {
  const partitions = [0, 1].map((partition) => ({ partition, epoch: 0, time }));
  return asked(listOffsets, { topic, partitions });
}

function damaged(bytes: Buffer): Buffer {
  bytes.writeInt32BE(bytes.readInt32BE(17) ^ 1, 17);
  return bytes;
}

export const questions = {
  metadata: asked(metadataWithoutIds, [topic, 'missing']),
  'metadata of all': asked(metadataWithoutIds, null),
  earliest: offsets(earliestOffset),
  latest: offsets(latestOffset),
  'by time': offsets(1_002),
  records: fetched([0, 0], [1, 0]),
  'out of range': fetched([0, 999], [9, 0]),
  'end of epoch': asked(offsetsForLeaderEpoch, {
    topic,
    partitions: [
      { partition: 0, leaderEpoch: 0, epoch: 0 },
      { partition: 1, leaderEpoch: 0, epoch: 7 },
    ],
  }),
  producer: asked(initProducerId, undefined),
  'producer refused': asked(initProducerId, undefined),
  'batches written and refused': asked(produce, {
    topic,
    acks: -1,
    timeoutMillis: 5_000,
    // One fits. The checksum of the other is wrong, and the last has no partition.
    batches: [
      { partition: 0, bytes: batch({ records: recordsOf('late') }) },
      { partition: 1, bytes: damaged(batch({ records: recordsOf('damaged') })) },
      { partition: 9, bytes: batch({ records: recordsOf('nowhere') }) },
    ],
  }),
} as const;
