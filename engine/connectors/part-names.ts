// The names of part files. A sink draws `sink` at its first start and keeps it in its state, so it
// knows its own files. Numbers grow, and none is used twice.
//
//   .part-3f9a1c27-000012.jsonl.inprogress    rows that are not committed: hidden
//   part-3f9a1c27-000012.jsonl                finished, never changed again
//   .sluice-sink                              names the sink to which the folder belongs
import { randomBytes } from 'node:crypto';

export const ownerName = '.sluice-sink';
const inProgress = '.inprogress';

export function drawnSink(): string {
  return randomBytes(4).toString('hex');
}
export function partName(sink: string, number: number, extension: string): string {
  return `part-${sink}-${String(number).padStart(6, '0')}${extension}`;
}
export function inProgressName(part: string): string {
  return `.${part}${inProgress}`;
}

export interface ParsedName {
  readonly number: number;
  readonly isFinished: boolean;
}
/** undefined: the file is not one of this sink. */
export function parsedPartName(name: string, sink: string): ParsedName | undefined {
  const match = /^(\.?)part-([0-9a-f]{8})-(\d{6,15})(\.[^/]*)?$/.exec(name);
  if (match?.[2] !== sink) return undefined;
  const isHidden = match[1] === '.';
  if (isHidden !== name.endsWith(inProgress)) return undefined;
  return { number: Number(match[3]), isFinished: !isHidden };
}
