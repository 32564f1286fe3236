// The hash of each query's results for the checksum: every engine hashes the same fields in the
// same order.
import { fold, foldLong, hashStart, javaHashCode } from '../checksum.ts';
import { baseMillis, type Person } from './events.ts';

export function hashOfEvent(kind: number, dateTime: number): number {
  return fold(fold(hashStart, kind), dateTime - baseMillis);
}
export function hashOfBid(auction: number, bidder: number, price: number, dateTime: number): number {
  return fold(fold(fold(fold(hashStart, auction), bidder), price), dateTime - baseMillis);
}
export function hashOfPrice(auction: number, price: number): number {
  return fold(fold(hashStart, auction), price);
}
export function hashOfSale({ name, city, state }: Pick<Person, 'name' | 'city' | 'state'>, auction: number): number {
  return fold(fold(fold(fold(hashStart, javaHashCode(name)), javaHashCode(city)), javaHashCode(state)), auction);
}
export function hashOfHottest(auction: number, windowEnd: number, bids: number): number {
  return fold(fold(fold(hashStart, auction), windowEnd - baseMillis), bids);
}
export function hashOfNewSeller(id: number, name: string, auction: number, windowStart: number): number {
  return fold(fold(fold(fold(hashStart, id), javaHashCode(name)), auction), windowStart - baseMillis);
}
export function hashOfCounts(auction: number, windowStart: number, n: number, sum: number, max: number): number {
  return fold(foldLong(fold(fold(fold(hashStart, auction), windowStart - baseMillis), n), sum), max);
}
