// The place where a peek begins, as the user types it.
import type { PeekFrom } from '../../../kernel/protocol/browse.ts';

const units = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Where a peek begins, or a sentence about what cannot be read. */
export function peekFrom(kind: string, place: string, now: number): PeekFrom | string {
  const text = place.trim();
  if (kind === 'newest' || kind === 'earliest') return { kind };
  if (kind === 'offset') {
    const parts = /^(?:(\d+)\s*[:@]\s*)?([\d,]+)$/.exec(text);
    const offset = Number(parts?.[2]?.replaceAll(',', ''));
    if (!parts || !Number.isSafeInteger(offset))
      return 'Give an offset such as 1200, or a partition and an offset such as 3:1200.';
    return { kind, offset, ...(parts[1] !== undefined && { partition: Number(parts[1]) }) };
  }
  const ago = /^(\d+(?:\.\d+)?)\s*(s|min|h|d)(?:\s+ago)?$/.exec(text);
  if (ago) return { kind: 'time', time: now - Number(ago[1]) * units[ago[2] as keyof typeof units] };
  if (/^\d{11,}$/.test(text)) return { kind: 'time', time: Number(text) };
  const time = Date.parse(text);
  if (Number.isNaN(time)) return 'Give a time such as 2026-01-31 12:00, or 15 min ago.';
  return { kind: 'time', time };
}
