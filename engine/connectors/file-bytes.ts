// The bytes of a file as UTF-8: decompressed if they begin as gzip or zstd does, and decoded from
// the encoding that a byte order mark shows or the option names. A plain UTF-8 file is read in
// place. Any other one is read in order, so a position in it is reached from its start.
import { readSync } from 'node:fs';
import { Gunzip, ZstdDecompress } from 'minizlib';
import { SluiceError } from '../errors/error.ts';
import { ZstdFrames } from './zstd-frames.ts';

export interface FileBytes {
  /** As readSync. 0: there are no bytes at this position. */
  readonly read: (this: void, target: Buffer, at: number, length: number, position: number) => number;
  /** U+FFFD stands for bytes that the encoding does not have. */
  readonly isDecoded: boolean;
  /** "gzip" or "utf-16le", if the bytes are not those of the file. */
  readonly form?: string;
}
/** The next bytes; undefined: there are no more. */
type Next = () => Buffer | undefined;

const chunkBytes = 16 << 10;

export function openBytes(path: string, file: number, encoding: string | undefined): FileBytes {
  const raw = peeked(inOrder(file));
  const compression = compressionOf(raw.head);
  const { head, next } = compression === undefined ? raw : peeked(decompressed(path, compression, raw.next));
  const code = encodingOf(path, head, encoding);
  if (code === undefined && compression === undefined) return { read: bytesOf(file), isDecoded: false };
  return {
    read: positioned(code === undefined ? next : decoded(next, code)),
    isDecoded: code !== undefined,
    form: compression ?? code!,
  };
}

/** As they are in the file. */
export function bytesOf(file: number): FileBytes['read'] {
  return (target, at, length, position) => readSync(file, target, at, length, position);
}

function compressionOf(start: Buffer): 'gzip' | 'zstd' | undefined {
  if (start.length >= 2 && start.readUInt16BE() === 0x1f8b) return 'gzip';
  return start.length >= 4 && start.readUInt32LE() === 0xfd2fb528 ? 'zstd' : undefined;
}
/** A byte order mark counts more than the option. undefined: UTF-8. */
function encodingOf(path: string, head: Buffer, given: string | undefined): string | undefined {
  const hex = head.toString('hex');
  if (hex.startsWith('efbbbf')) return undefined;
  if (hex.startsWith('fffe0000') || hex.startsWith('0000feff'))
    throw new SluiceError('bad-file', `${path} is UTF-32, which cannot be read. Save it as UTF-8.`, { path });
  if (hex.startsWith('fffe')) return 'utf-16le';
  if (hex.startsWith('feff')) return 'utf-16be';
  const code = given === undefined ? 'utf-8' : new TextDecoder(given).encoding;
  return code === 'utf-8' ? undefined : code;
}

function inOrder(file: number): Next {
  let position = 0;
  return () => {
    const chunk = Buffer.alloc(chunkBytes);
    const count = readSync(file, chunk, 0, chunkBytes, position);
    position += count;
    return count === 0 ? undefined : chunk.subarray(0, count);
  };
}
/** The first bytes, enough for a byte order mark, without taking them. */
function peeked(from: Next): { head: Buffer; next: Next } {
  let head = from() ?? Buffer.alloc(0);
  for (let more; head.length < 4 && (more = from()) !== undefined;) head = Buffer.concat([head, more]);
  let isTaken = false;
  const next = (): Buffer | undefined => {
    if (isTaken) return from();
    isTaken = true;
    return head.length > 0 ? head : from();
  };
  return { head, next };
}

function decompressed(path: string, compression: 'gzip' | 'zstd', from: Next): Next {
  const ready: Buffer[] = [];
  const frames = compression === 'zstd' ? new ZstdFrames() : undefined;
  let failure: string | undefined;
  const opened = (): Gunzip | ZstdDecompress => {
    const stream = frames ? new ZstdDecompress({}) : new Gunzip({});
    stream.on('data', (bytes: Buffer) => ready.push(bytes));
    stream.on('error', (error: unknown) => {
      failure ??= (error as Error).message.replace(/^zlib: /, '');
    });
    return stream;
  };
  let stream = opened();
  /** Of zstd: each frame has a stream of its own. */
  const write = (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length && failure === undefined;) {
      const end = frames ? frames.end(chunk, at) : -1;
      stream.write(chunk.subarray(at, end < 0 ? undefined : end));
      at = end < 0 ? chunk.length : end;
      if (end < 0) continue;
      stream.end();
      stream = opened();
    }
  };
  let hasEnded = false;
  return () => {
    while (ready.length === 0 && failure === undefined && !hasEnded) {
      const chunk = from();
      try {
        if (chunk) write(chunk);
        else if (!frames) stream.end();
        else if (!frames.isBetweenFrames) failure = 'unexpected end of file';
      } catch (error) {
        failure ??= (error as Error).message;
      }
      hasEnded = chunk === undefined;
    }
    const bytes = ready.shift();
    if (bytes !== undefined || failure === undefined) return bytes;
    throw new SluiceError(
      'bad-file',
      `${path} is damaged: it begins as ${compression}, and cannot be decompressed (${failure}). The records before that place were read.`,
      { path },
    );
  };
}

function decoded(from: Next, encoding: string): Next {
  const decoder = new TextDecoder(encoding);
  let hasEnded = false;
  return () => {
    while (!hasEnded) {
      const chunk = from();
      hasEnded = chunk === undefined;
      const text = chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
      if (text !== '') return Buffer.from(text);
    }
    return undefined;
  };
}

function positioned(next: Next): FileBytes['read'] {
  let chunk: Buffer | undefined = Buffer.alloc(0);
  /** The position of the chunk's first byte. */
  let start = 0;
  return (target, at, length, position) => {
    while (chunk && position >= start + chunk.length) {
      start += chunk.length;
      chunk = next();
    }
    if (!chunk) return 0;
    return chunk.copy(target, at, position - start, Math.min(chunk.length, position - start + length));
  };
}
