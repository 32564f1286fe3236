// What the process that is killed writes: from an id, the whole content follows.
import { valueSegment } from '../../../engine/state/segment.ts';
import type { CheckpointContent } from '../../checkpoints/checkpoint-storage.ts';

const stable = valueSegment('stable'.repeat(50_000));
const byGroup = new Map<number, Uint8Array>();

/** Of 16 key groups, those change whose number divides the id. */
export function killedContent(id: number): CheckpointContent {
  const groups = new Map<number, readonly Uint8Array[]>([[100, [stable]]]);
  for (let group = 1; group <= 16; group++) {
    const changed = id - (id % group);
    const key = group * 1_000_000 + changed;
    let segment = byGroup.get(key);
    if (!segment) byGroup.set(key, (segment = valueSegment(`group ${group} of ${changed} `.repeat(2000))));
    groups.set(group, [segment]);
  }
  const parts = new Map([['sum', { full: true, groups, watermark: id }]]);
  return { id, takenAt: id, kind: 'checkpoint', session: { id }, parts };
}
