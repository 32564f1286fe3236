// Kafka connections by name, from the environment. A notebook holds names only, never hosts or
// secrets.
//
//   SLUICE_BROKERS=host:port,host:port             the default connection
//   SLUICE_CONNECTION_<NAME>=host:port,host:port   connection '<name>': in upper case, with _ for
//                                                  characters that are not letters or digits
import { SluiceError } from '../../errors/error.ts';
import { hidesSomething, isBrokerAddress, shownBrokers } from './shown-brokers.ts';

export interface Connection {
  /** undefined: the default one. */
  readonly name?: string;
  /** host:port of brokers to ask first; the others are found through them. */
  readonly brokers: readonly string[];
  /** The environment variable that says so, for messages. */
  readonly variable: string;
}

export function connectionNamed(
  name: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Connection {
  const variable =
    name === undefined ? 'SLUICE_BROKERS' : `SLUICE_CONNECTION_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  const value = environment[variable]?.trim();
  if (!value)
    throw new SluiceError(
      'kafka-no-connection',
      name === undefined
        ? 'There is no Kafka connection. Set SLUICE_BROKERS to host:port of a broker and restart the session; samples/01-first-chart.sluice.ts runs without Kafka.'
        : `There is no Kafka connection "${name}". Set ${variable} to host:port of a broker and restart the session, or leave \`connection\` out to use SLUICE_BROKERS.`,
      { connection: name, variable },
    );
  const brokers = value
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  for (const address of brokers) if (!isBrokerAddress(address)) throw badConnection(name, variable, value);
  return { ...(name === undefined ? {} : { name }), brokers, variable };
}

function badConnection(name: string | undefined, variable: string, value: string): SluiceError {
  const shown = shownBrokers(value);
  const credentials = hidesSomething(shown)
    ? ' Sluice does not log in to brokers, so leave out user names, passwords and parameters. What may be one is not shown.'
    : '';
  return new SluiceError(
    'kafka-bad-connection',
    `${variable} has "${shown}", which is not host:port. Several brokers are separated by commas.${credentials}`,
    { connection: name, variable },
  );
}

/** A connection as people know it: "127.0.0.1:9092". */
export function describeBrokers(brokers: readonly string[]): string {
  return shownBrokers(brokers.join(','));
}
