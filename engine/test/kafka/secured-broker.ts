// One real broker with a listener for each way to secure it, and rules for who may do what. Clients
// without a name are its administrators; every other user may only do what a test allows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { freePorts, startOwnCluster, type Broker } from './broker.ts';
import { encrypted, makeAuthority, type Authority } from './certificates.ts';
import { startCountingProxy, type CountingProxy } from './counting-proxy.ts';
import type { IndependentClient } from './independent-client.ts';

// They are getters of a CommonJS module, which Node does not see as names.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const listeners = {
  tls: 'SSL',
  mutual: 'SSL',
  expired: 'SSL',
  wrongHost: 'SSL',
  sasl: 'SASL_SSL',
  renewed: 'SASL_PLAINTEXT',
  encrypted: 'SASL_SSL',
  saslInPlain: 'SASL_PLAINTEXT',
  six: 'SSL',
} as const;
export type ListenerName = keyof typeof listeners;

export interface SecuredBroker extends Broker {
  /** host:port of each listener. */
  readonly at: Readonly<Record<ListenerName, string>>;
  /** Paths of PEM files. */
  readonly files: {
    readonly ca: string;
    readonly otherCa: string;
    readonly clientCert: string;
    readonly clientKey: string;
    /** The same key, encrypted with `keyPassword`. */
    readonly lockedKey: string;
    readonly strangerCert: string;
    readonly strangerKey: string;
  };
  readonly keyPassword: string;
  readonly authority: Authority;
  /** A folder that is removed with the broker. */
  readonly folder: string;
  readonly passwords: Readonly<Record<'ann' | 'ben' | 'cem', string>>;
  /** Between the clients and the listener `renewed`, whose bytes it sees. */
  readonly proxy: CountingProxy;
  /** Between the clients and the listener `encrypted`. */
  readonly encryptedProxy: CountingProxy;
  /** For SCRAM-SHA-256. */
  setPassword(user: string, password: string): void;
}

/** Log-ins at the listeners `sasl`, `renewed` and `encrypted` are good for this time. */
export const reauthenticationMillis = 15_000;

export async function startSecuredBroker(): Promise<SecuredBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-secured-'));
  const authority = makeAuthority('Sluice test authority');
  const other = makeAuthority('Another authority');
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const store = (name: string, hosts: readonly string[], days: { from?: number; until?: number } = {}): string => {
    const { cert, key } = authority.sign({ name, hosts, ...days });
    return file(`${name}.pem`, `${key}${cert}${authority.cert}`);
  };
  const good = store('broker', ['127.0.0.1', '0:0:0:0:0:0:0:1', 'localhost']);
  const expired = store('expired', ['127.0.0.1'], { from: -20, until: -10 });
  const elsewhere = store('elsewhere', ['broker.example']);
  const client = authority.sign({ name: 'client' });
  const keyPassword = 'key-5ecret';
  const stranger = other.sign({ name: 'stranger' });
  const files = {
    ca: file('ca.pem', authority.cert),
    otherCa: file('other-ca.pem', other.cert),
    clientCert: file('client-cert.pem', client.cert),
    clientKey: file('client-key.pem', client.key),
    lockedKey: file('locked-key.pem', encrypted(client.key, keyPassword)),
    strangerCert: file('stranger-cert.pem', stranger.cert),
    strangerKey: file('stranger-key.pem', stranger.key),
  };
  const passwords = { ann: 'ann-5ecret', ben: 'ben-5ecret', cem: 'cem-5ecret' };
  const names = Object.keys(listeners) as ListenerName[];
  const ports = await freePorts(names.length);
  const at = Object.fromEntries(
    names.map((name, index) => [name, `${name === 'six' ? '[::1]' : '127.0.0.1'}:${ports[index]!}`]),
  ) as Record<ListenerName, string>;
  const [proxy, encryptedProxy] = await Promise.all([at.renewed, at.encrypted].map(startCountingProxy));
  if (!proxy || !encryptedProxy) throw new Error('There is no proxy.');
  const advertised: Partial<Record<ListenerName, string>> = {
    renewed: proxy.address,
    encrypted: encryptedProxy.address,
  };
  const properties: Record<string, string> = {
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': files.ca,
    'ssl.keystore.type': 'PEM',
    'allow.everyone.if.no.acl.found': 'false',
    'super.users': 'User:ANONYMOUS',
    ...forListener('mutual', { 'ssl.client.auth': 'required' }),
    ...forListener('saslInPlain', { 'sasl.enabled.mechanisms': 'PLAIN' }),
  };
  for (const name of names)
    if (listeners[name].endsWith('SSL')) {
      const path = name === 'expired' ? expired : name === 'wrongHost' ? elsewhere : good;
      Object.assign(properties, forListener(name, { 'ssl.keystore.location': path }));
    }
  const users = Object.entries(passwords).map(([user, password]) => `user_${user}="${password}"`);
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required ${users.join(' ')};`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const bearer =
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";';
  for (const name of ['sasl', 'renewed', 'encrypted'] as const)
    Object.assign(
      properties,
      forListener(name, {
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
        'plain.sasl.jaas.config': plain,
        'scram-sha-256.sasl.jaas.config': scram,
        'scram-sha-512.sasl.jaas.config': scram,
        'oauthbearer.sasl.jaas.config': bearer,
        ...Object.fromEntries(
          ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'].map((mechanism) => [
            `${mechanism}.connections.max.reauth.ms`,
            String(reauthenticationMillis),
          ]),
        ),
      }),
    );
  Object.assign(properties, forListener('saslInPlain', { 'plain.sasl.jaas.config': plain }));
  const cluster = await startOwnCluster(1, {
    listeners: names.map((name) => ({
      name: name.toUpperCase(),
      protocol: listeners[name],
      address: at[name],
      ...(advertised[name] !== undefined && { advertised: advertised[name] }),
    })),
    properties,
    formatArguments: Object.entries(passwords).flatMap(([user, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${user},password=${password}]`,
      ]),
    ),
  }).catch((error: unknown) => {
    for (const one of [proxy, encryptedProxy]) one.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const stop = async (): Promise<void> => {
    for (const one of [proxy, encryptedProxy]) one.close();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const setPassword = (user: string, password: string): void =>
    cluster.tool('kafka.admin.ConfigCommand', [
      ...['--bootstrap-server', cluster.brokers, '--alter', '--entity-type', 'users', '--entity-name', user],
      ...['--add-config', `SCRAM-SHA-256=[password=${password}]`],
    ]);
  return {
    ...{
      brokers: cluster.brokers,
      stop,
      files,
      keyPassword,
      authority,
      folder,
      passwords,
      proxy,
      encryptedProxy,
      setPassword,
    },
    at: { ...at, ...advertised },
  };
}

function forListener(name: ListenerName, settings: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = `listener.name.${name.toLowerCase()}`;
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${prefix}.${key}`, value]));
}

export type Right = 'READ' | 'WRITE' | 'DESCRIBE' | 'IDEMPOTENT_WRITE';
interface Rights {
  readonly topic?: string;
  readonly group?: string;
  /** Of all transactional ids that begin so. */
  readonly transactions?: string;
  /** Without one of these three: on the cluster. */
  readonly rights: readonly Right[];
}

/** Replaces the rights of the user: nothing but these. */
export async function allow({ admin }: IndependentClient, user: string, rights: readonly Rights[]): Promise<void> {
  const principal = `User:${user}`;
  await admin.deleteAcls({
    filters: [
      {
        principal,
        host: '*',
        resourceType: AclResourceTypes.ANY,
        resourcePatternType: ResourcePatternTypes.ANY,
        operation: AclOperationTypes.ANY,
        permissionType: AclPermissionTypes.ANY,
      },
    ],
  });
  const acl = rights.flatMap((one) =>
    one.rights.map((name) => ({
      ...resourceOf(one),
      principal,
      host: '*',
      operation: AclOperationTypes[name],
      permissionType: AclPermissionTypes.ALLOW,
    })),
  );
  if (acl.length > 0) await admin.createAcls({ acl });
}
function resourceOf({ topic, group, transactions }: Rights) {
  const { TOPIC, GROUP, TRANSACTIONAL_ID, CLUSTER } = AclResourceTypes;
  const { LITERAL, PREFIXED } = ResourcePatternTypes;
  if (topic !== undefined) return { resourceType: TOPIC, resourceName: topic, resourcePatternType: LITERAL };
  if (group !== undefined) return { resourceType: GROUP, resourceName: group, resourcePatternType: LITERAL };
  if (transactions !== undefined)
    return { resourceType: TRANSACTIONAL_ID, resourceName: transactions, resourcePatternType: PREFIXED };
  return { resourceType: CLUSTER, resourceName: 'kafka-cluster', resourcePatternType: LITERAL };
}
