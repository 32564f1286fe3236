// Key groups: 128 buckets of keys. Keyed state is saved, moved and distributed by key group.
import { withKeyBytes } from './key-bytes.ts';
import { murmur3 } from './murmur3.ts';

export const keyGroups = 128;

/** `tuple` is the key: its values, in order. */
export function keyGroupOf(tuple: readonly unknown[]): number {
  return withKeyBytes(tuple, groupOfBytes);
}

function groupOfBytes(bytes: Uint8Array, length: number): number {
  return murmur3(bytes, length) % keyGroups;
}
