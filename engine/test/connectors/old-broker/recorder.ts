// Records what a broker before Kafka 3.1 answers, as recorded.json. Run by hand:
//
//     node engine/test/connectors/old-broker/recorder.ts 127.0.0.1:9092
//
// The broker was Kafka 2.4.1 from Maven Central (kafka_2.13, slf4j-simple) with the ZooKeeper among
// its jars, new and empty, with authorizer.class.name=kafka.security.authorizer.AclAuthorizer and
// allow.everyone.if.no.acl.found=true. At the end its rules forbid idempotent writing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { BrokerAccess } from '../../../connectors/kafka/broker-access.ts';
import { BrokerConnection } from '../../../connectors/kafka/kafkajs-connection.ts';
import { independentClient } from '../../kafka/independent-client.ts';
import { questions, topic } from './questions.ts';

const [address] = process.argv.slice(2);
if (address === undefined) throw new Error('Give the address of the broker.');
const client = await independentClient(address);
await client.createTopic(topic, 2);
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ partition: 0, value: `${from + i}`, timestamp: `${1_000 + from + i}` }));
await client.producer.send({ topic, messages: rows(0, 3) });
await client.producer.send({ topic, messages: rows(3, 3), compression: kafkajs.CompressionTypes.GZIP });
const transactional = client.kafka.producer({ transactionalId: 'old', maxInFlightRequests: 1, idempotent: true });
await transactional.connect();
for (const end of ['abort', 'commit'] as const) {
  const transaction = await transactional.transaction();
  await transaction.send({ topic, messages: [{ partition: 1, value: end, timestamp: '2000' }] });
  await transaction[end]();
}
await transactional.disconnect();

const connection = await BrokerConnection.open(
  address,
  10_000,
  new BrokerAccess({ brokers: [address], setIn: 'SLUICE_BROKERS' }),
);
const answers: Record<string, { readonly request: string; readonly answer: string }> = {};
async function record(name: keyof typeof questions): Promise<void> {
  const asked = questions[name];
  const answer = await asked.record(connection);
  answers[name] = { request: asked.request().toString('hex'), answer: answer.toString('base64') };
}
const refused = 'producer refused';
for (const name of Object.keys(questions) as (keyof typeof questions)[]) if (name !== refused) await record(name);
await client.admin.createAcls({
  acl: [
    {
      resourceType: kafkajs.AclResourceTypes.CLUSTER,
      resourceName: 'kafka-cluster',
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
      principal: 'User:somebody-else',
      host: '*',
      operation: kafkajs.AclOperationTypes.IDEMPOTENT_WRITE,
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
    },
  ],
});
await record(refused);
connection.close();
await client.close();
writeFileSync(join(import.meta.dirname, 'recorded.json'), `${JSON.stringify(answers, undefined, 2)}\n`);
