// What a user may do on the cluster itself. A broker lists only those consumer groups for which
// the user has DESCRIBE, and does not say that it leaves out others. A user with DESCRIBE on the
// cluster gets all of them.
import type { Exchange } from './kafkajs-connection.ts';

/** The numbers of Kafka's operations are the bits of an answer. */
const describeOperation = 8;

/** Whether the user has DESCRIBE on the cluster. Brokers before 2.8 do not speak it. */
export const mayDescribeCluster: Exchange<null, boolean> = {
  api: 60,
  version: 0,
  isFlexible: true,
  write(writer) {
    const withRights = 1;
    writer.int8(withRights).noTags();
  },
  read(reader) {
    reader.int32();
    reader.int16();
    reader.compactString();
    reader.compactString();
    reader.int32();
    reader.compactArray(() => {
      reader.int32();
      reader.compactString();
      reader.int32();
      reader.compactString();
      reader.skipTags();
    });
    const rights = reader.int32();
    return (rights & (1 << describeOperation)) !== 0;
  },
};
