// One instance for each application id: of two at once one is refused, an id that was left is free
// at once, and a process that another one has taken out of the group hears of it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { connectionNamed } from '../../connections/connection-named.ts';
import { ApplicationClaim, claimGroup, type ClaimOptions } from '../../connectors/kafka/application-claim.ts';
import type { SluiceError } from '../../errors/error.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';

const options = { skip: whyNoKafka() !== undefined, timeout: 300_000 };
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));

interface Claimed {
  readonly claim: ApplicationClaim;
  readonly members: readonly string[];
  readonly lost: Promise<SluiceError>;
  readonly unknown: readonly string[];
}
function claimOf(application: string, identity: string, more: Partial<ClaimOptions> = {}): Claimed {
  const members: string[] = [];
  const unknown: string[] = [];
  const { promise: lost, resolve } = Promise.withResolvers<SluiceError>();
  const claim = new ApplicationClaim({
    ...{ application, identity, connection: connectionNamed(undefined), former: undefined },
    onMember: (member) => members.push(member),
    onLost: resolve,
    onUnknown: (why) => unknown.push(why),
    ...more,
  });
  return { claim, members, lost, unknown };
}

test('of two instances that start at once, one is refused with the name of the other', options, async () => {
  const id = `at-once-${process.pid}`;
  const both = [claimOf(id, 'instance A'), claimOf(id, 'instance B')];
  const results = await Promise.allSettled(both.map(({ claim }) => claim.start()));
  const refused = results.flatMap((one) => (one.status === 'rejected' ? [one.reason as SluiceError] : []));
  assert.equal(refused.length, 1);
  assert.equal(refused[0]!.code, 'application-in-use');
  const holder = results[0]!.status === 'fulfilled' ? 'instance A' : 'instance B';
  assert.ok(refused[0]!.message.includes(`is in use by ${holder} from `), refused[0]!.message);
  const { groups } = await client.admin.describeGroups([claimGroup(id)]);
  assert.equal(groups[0]!.members.length, 1);
  for (const { claim } of both) await claim.close();
  // What was left is free. Nobody waits for a member that has left: the group knows of none.
  const { groups: left } = await client.admin.describeGroups([claimGroup(id)]);
  assert.deepEqual(left[0]!.members, []);
  const next = claimOf(id, 'instance C');
  await next.claim.start();
  assert.deepEqual([next.members.length, next.unknown], [1, []]);
  await next.claim.close();
});

test(
  'the next process takes the one that was killed out of the group, which hears of it if it lives',
  options,
  async () => {
    const id = `former-${process.pid}`;
    const first = claimOf(id, 'first');
    await first.claim.start();
    const second = claimOf(id, 'second', { former: first.members[0] });
    await second.claim.start();
    const error = await first.lost;
    assert.equal(error.code, 'application-in-use');
    assert.match(
      error.message,
      /is in use by second from .*Stop the other one, or set another SLUICE_APPLICATION_ID\.$/,
    );
    await first.claim.close();
    await second.claim.close();
  },
);

test('without a broker it is not known, and the job goes on', options, async () => {
  const none = claimOf('none', 'alone', { connection: { ...connectionNamed(undefined), brokers: ['127.0.0.1:1'] } });
  await none.claim.start();
  assert.equal(none.unknown.length, 1);
  assert.match(none.unknown[0]!, /127\.0\.0\.1:1/);
  await none.claim.close();
});
