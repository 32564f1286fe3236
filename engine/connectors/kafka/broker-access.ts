// What all connections to the brokers of one cluster share: the definition as it is now, and the
// token. A new definition counts at the next connection and the next log-in.
import type { Connection } from '../../connections/connection.ts';
import { BrokerTokens } from './broker-token.ts';

export class BrokerAccess {
  #connection: Connection;
  readonly tokens: BrokerTokens;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.tokens = new BrokerTokens(() => this.#connection);
  }

  get connection(): Connection {
    return this.#connection;
  }
  use(connection: Connection): void {
    this.#connection = connection;
  }
}
