// What the status of an armed sink says of its rows, as all clients show it.
import type { SinkState } from './messages.ts';

/**
 * "1,204 rows written to topic alerts, 1,000 committed", then the time of the open transaction and
 * of the last acknowledgement, if there are such. `count` knows the language of the client.
 */
export function writtenTexts(
  { target, written = 0, committed, uncommittedSince, acknowledged }: SinkState,
  count: (n: number) => string,
): readonly string[] {
  const ofThem = committed === undefined ? '' : `, ${count(committed)} committed`;
  return [
    `${count(written)} ${written === 1 ? 'row' : 'rows'} written to ${target}${ofThem}`,
    ...(uncommittedSince === undefined ? [] : [`transaction open since ${uncommittedSince}`]),
    ...(acknowledged === undefined ? [] : [`last acknowledged ${acknowledged}`]),
  ];
}
