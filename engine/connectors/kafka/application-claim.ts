// One instance of a job for each application id, also where instances have no folder in common: an
// instance is the one member of a consumer group. The group has no offsets and reads nothing.
//
//   unknown ─brokers answer─► no other member: held ─heartbeats─► … ─close─► left
//      │                                         └─another member has it─► lost
//      └──────────────────► another member: refused
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connections/connection.ts';
import { SluiceError } from '../../errors/error.ts';
import { messageOf } from '../../errors/thrown.ts';
import { Brokers, mayPass, TryAgain } from './brokers.ts';
import { groupCoordinator } from './coordinator-request.ts';
import {
  type DescribedGroup,
  describeGroup,
  heartbeat,
  joinGroup,
  leaveGroup,
  type Membership,
  syncGroup,
} from './membership-requests.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';

/** A member that is silent for so long is gone. */
const sessionMillis = 10_000;
const heartbeatMillis = 2_500;
const pauseMillis = 500;
const protocolType = 'sluice-instance';
const [unknownMember, illegalGeneration, inconsistentProtocol, rebalanceInProgress] = [25, 22, 23, 27];

export interface ClaimOptions {
  readonly application: string;
  readonly connection: Connection;
  /** Others see it when they are refused: "process 17 on host-a". */
  readonly identity: string;
  /** The member that a former process was. It is known to be gone. */
  readonly former: string | undefined;
  /** This process is another member from now on. */
  readonly onMember: (member: string) => void;
  /** Another instance has the id: this one must end. */
  readonly onLost: (error: SluiceError) => void;
  /** It is not known whether there is another instance. The job goes on. */
  readonly onUnknown: (why: string) => void;
}

/** The name of the group. */
export function claimGroup(application: string): string {
  return `${application}.instance`;
}

export class ApplicationClaim {
  readonly #options: ClaimOptions;
  readonly #group: string;
  readonly #brokers: Brokers;
  readonly #closing = new AbortController();
  #former: string | undefined;
  #coordinator: number | undefined;
  #membership: Membership | undefined;
  #keeping: Promise<void> | undefined;

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#group = claimGroup(options.application);
    this.#former = options.former;
    this.#brokers = new Brokers(options.connection, 'read');
  }

  /**
   * Resolves when the id is held, or when it cannot be known yet. Error: `application-in-use`. A
   * process that was killed elsewhere stays a member for ten seconds, so they are waited for.
   */
  async start(): Promise<void> {
    const deadline = performance.now() + sessionMillis + 5_000;
    for (;;) {
      try {
        await this.#claim();
        break;
      } catch (error) {
        if (error instanceof SluiceError && error.code === 'application-in-use') {
          if (performance.now() > deadline) throw error;
        } else if (!mayPass(error)) {
          this.#options.onUnknown(messageOf(error));
          return;
        } else if (!(error instanceof TryAgain) || performance.now() > deadline) {
          this.#options.onUnknown(messageOf(error));
          break;
        }
      }
      await sleep(pauseMillis);
    }
    this.#keeping = this.#keep();
  }
  /** Others may have the id at once. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#keeping;
    const { group, member } = this.#membership ?? {};
    if (group !== undefined && this.#coordinator !== undefined)
      await this.#brokers.ask(this.#coordinator, leaveGroup, { group, member: member! }).catch(() => undefined);
    this.#brokers.close();
  }

  // ------------------------------------------------------------------------------------ membership

  async #keep(): Promise<void> {
    for (;;) {
      await sleep(heartbeatMillis, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
      if (this.#closing.signal.aborted) return;
      try {
        if (this.#membership) await this.#beat(this.#membership);
        else await this.#claim();
      } catch (error) {
        if (mayPass(error)) {
          this.#coordinator = undefined;
          continue;
        }
        if (error instanceof SluiceError && error.code === 'application-in-use') this.#options.onLost(error);
        else this.#options.onUnknown(messageOf(error));
        return;
      }
    }
  }
  async #beat(membership: Membership): Promise<void> {
    const error = await this.#brokers.ask(await this.#found(), heartbeat, membership);
    if (error === kafkaErrors.none) return;
    // Another instance has come and is refused, or this process was silent for too long.
    if (error === rebalanceInProgress || error === illegalGeneration) return await this.#join(membership.member);
    if (error === unknownMember) {
      this.#membership = undefined;
      return await this.#claim();
    }
    this.#check(error);
  }

  async #claim(): Promise<void> {
    const node = await this.#found();
    const former = this.#former;
    if (former !== undefined) {
      await this.#brokers.ask(node, leaveGroup, { group: this.#group, member: former });
      this.#former = undefined;
    }
    const described = await this.#brokers.ask(node, describeGroup, this.#group);
    this.#check(described.error);
    if (described.members.length > 0) throw this.#inUse(described);
    await this.#join('');
  }
  /** The first member is the leader. Somebody who is not has come second. */
  async #join(former: string): Promise<void> {
    const { application, identity, onMember } = this.#options;
    const group = this.#group;
    const node = await this.#found();
    const question = {
      ...{ group, sessionMillis, member: former, protocolType, protocol: application },
      metadata: Buffer.from(identity),
    };
    const joined = await this.#brokers.ask(node, joinGroup, question, sessionMillis);
    if (joined.error === unknownMember) return await this.#join('');
    this.#check(joined.error);
    const { generation, member, leader, members } = joined;
    if (member !== leader) {
      await this.#brokers.ask(node, leaveGroup, { group, member });
      throw this.#inUse(await this.#brokers.ask(node, describeGroup, group));
    }
    const error = await this.#brokers.ask(node, syncGroup, { group, generation, member, members }, sessionMillis);
    if (error === rebalanceInProgress) return await this.#join(member);
    this.#check(error);
    this.#membership = { group, generation, member };
    if (member !== former) onMember(member);
  }
  async #found(): Promise<number> {
    if (this.#coordinator !== undefined) return this.#coordinator;
    const { error, node } = await groupCoordinator(this.#brokers, this.#group);
    this.#check(error);
    return (this.#coordinator = node);
  }

  #check(error: number): void {
    if (error === kafkaErrors.none) return;
    if (error === kafkaErrors.groupAuthorizationFailed)
      throw new Error(`the right READ on the group "${this.#group}" is missing.`);
    if (error === inconsistentProtocol) throw this.#inUse(undefined);
    this.#coordinator = undefined;
    if (passesByItself(error))
      throw new TryAgain(`the coordinator of the group "${this.#group}" answers ${errorName(error)}`);
    throw new Error(`the coordinator of the group "${this.#group}" answers ${errorName(error)}.`);
  }
  #inUse(described: DescribedGroup | undefined): SluiceError {
    const { application } = this.#options;
    const [first] = described?.members ?? [];
    const identity = first && described?.protocolType === protocolType ? first.metadata.toString() : '';
    const host = first?.host.replace(/^\//, '') ?? '';
    const who = [identity || first?.client, host === '' ? '' : `from ${host}`].filter(Boolean).join(' ');
    return new SluiceError(
      'application-in-use',
      `The application id "${application}" is in use${who === '' ? '' : ` by ${who}`}: it is a member of the group "${this.#group}". One instance runs at a time. Stop the other one, or set another SLUICE_APPLICATION_ID.`,
      { application },
    );
  }
}
