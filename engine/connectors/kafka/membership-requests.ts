// How a client becomes a member of a consumer group, stays one, and leaves: the classic protocol,
// in versions that all brokers speak.
import type { Exchange } from './kafkajs-connection.ts';

export interface JoinQuestion {
  readonly group: string;
  readonly sessionMillis: number;
  /** ''; the coordinator gives one. */
  readonly member: string;
  readonly protocolType: string;
  readonly protocol: string;
  /** Others see it as the description of the member. */
  readonly metadata: Uint8Array;
}
export interface Joined {
  readonly error: number;
  readonly generation: number;
  readonly leader: string;
  readonly member: string;
  /** Only the leader is told. */
  readonly members: readonly string[];
}
export const joinGroup: Exchange<JoinQuestion, Joined> = {
  api: 11,
  version: 2,
  write(writer, { group, sessionMillis, member, protocolType, protocol, metadata }) {
    writer.string(group).int32(sessionMillis).int32(sessionMillis).string(member).string(protocolType);
    writer.array([protocol], (name) => writer.string(name).bytes(metadata));
  },
  read(reader) {
    reader.int32();
    const error = reader.int16();
    const generation = reader.int32();
    reader.string();
    const leader = reader.string() ?? '';
    const member = reader.string() ?? '';
    const members = reader.array(() => {
      const name = reader.string() ?? '';
      reader.byteRange();
      return name;
    });
    return { error, generation, leader, member, members };
  },
};

export interface Membership {
  readonly group: string;
  readonly generation: number;
  readonly member: string;
}
/** The leader gives each member an assignment. Here it is empty, because nothing is divided. */
export const syncGroup: Exchange<Membership & { readonly members: readonly string[] }, number> = {
  api: 14,
  version: 1,
  write(writer, { group, generation, member, members }) {
    writer.string(group).int32(generation).string(member);
    writer.array(members, (name) => writer.string(name).bytes(new Uint8Array()));
  },
  read(reader) {
    reader.int32();
    return reader.int16();
  },
};
export const heartbeat: Exchange<Membership, number> = {
  api: 12,
  version: 1,
  write: (writer, { group, generation, member }) => void writer.string(group).int32(generation).string(member),
  read(reader) {
    reader.int32();
    return reader.int16();
  },
};
export const leaveGroup: Exchange<Omit<Membership, 'generation'>, number> = {
  api: 13,
  version: 1,
  write: (writer, { group, member }) => void writer.string(group).string(member),
  read(reader) {
    reader.int32();
    return reader.int16();
  },
};

export interface DescribedGroup {
  readonly error: number;
  readonly protocolType: string;
  readonly members: readonly {
    readonly member: string;
    readonly client: string;
    readonly host: string;
    readonly metadata: Uint8Array;
  }[];
}
/** A group that does not exist has no members. */
export const describeGroup: Exchange<string, DescribedGroup> = {
  api: 15,
  version: 1,
  write: (writer, group) => void writer.array([group], (name) => writer.string(name)),
  read(reader) {
    reader.int32();
    const [found] = reader.array(() => {
      const error = reader.int16();
      reader.string();
      reader.string();
      const protocolType = reader.string() ?? '';
      reader.string();
      const members = reader.array(() => {
        const member = reader.string() ?? '';
        const client = reader.string() ?? '';
        const host = reader.string() ?? '';
        const { start, end } = reader.byteRange();
        const metadata = reader.bytes.subarray(start, end);
        reader.byteRange();
        return { member, client, host, metadata };
      });
      return { error, protocolType, members };
    });
    return found ?? { error: 0, protocolType: '', members: [] };
  },
};
