// What may be shown of a list of brokers. The list comes from the environment or from a setting,
// and somebody may have put a password there. Every message that names brokers takes them from
// here.

/** host:port, or [address]:port. No part of it can be a password. */
const plainAddress = /^(?:[\p{L}\p{N}._-]+|\[[\da-f:.]+\]):\d{1,5}$/iu;
const plainHost = /^(?:[\p{L}\p{N}._-]+|\[[\da-f:.]+\])$/iu;
/** With one of these there may be credentials anywhere, because passwords contain commas too. */
const suspicious = /[^\p{L}\p{N}._\-:,[\]\s]/u;
const hidden = '***';

export function isBrokerAddress(text: string): boolean {
  const port = Number(/\d+$/.exec(text)?.[0]);
  return plainAddress.test(text) && port >= 1 && port <= 65_535;
}

/** The list without the parts that may be credentials. */
export function shownBrokers(value: string): string {
  if (suspicious.test(value)) return hidden;
  const addresses = value.split(',').map((address) => address.trim());
  return addresses
    .map((address) => (address === '' || plainAddress.test(address) || plainHost.test(address) ? address : hidden))
    .join(',');
}

export function hidesSomething(shown: string): boolean {
  return shown.includes(hidden);
}
