// file() with follow: all files are rotated, truncated, rewritten and replaced, with and without a
// running source.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, test } from 'vitest';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';
import { PolledSource } from './polled-source.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-follow-'));
afterAll(() => rmSync(root, { recursive: true }));

const line = (n: number): string => `{"n":${n}}\n`;
const lines = (...numbers: number[]): string => numbers.map(line).join('');

/** A log in a folder of its own, and a source that follows it. */
class Followed {
  readonly path: string;
  readonly #format: string;
  source!: PolledSource;
  /** Of all lives. */
  readonly #read: unknown[] = [];

  constructor(content: string, name = 'log.jsonl') {
    this.path = join(mkdtempSync(join(root, 'log-')), name);
    this.#format = name.slice(name.indexOf('.') + 1);
    writeFileSync(this.path, content);
    this.#start();
    this.look();
  }
  #start(snapshot?: TaskSnapshot): void {
    const parameters = { path: this.path, format: this.#format, follow: true, watermark: { outOfOrdernessMillis: 0 } };
    this.source = new PolledSource({ kind: 'file', parameters, ...(snapshot && { snapshot }) });
  }
  beside(suffix: string): string {
    return this.path + suffix;
  }
  append(...numbers: number[]): void {
    appendFileSync(this.path, lines(...numbers));
  }
  rewrite(...numbers: number[]): void {
    writeFileSync(this.path, lines(...numbers));
  }
  /** A file of its own takes the name; made measurably later than all files before it. */
  create(content: string): void {
    const before = `${this.path}.before`;
    writeFileSync(before, '');
    const { birthtimeMs } = statSync(before);
    do {
      rmSync(this.path, { force: true });
      writeFileSync(this.path, content);
    } while (statSync(this.path).birthtimeMs <= birthtimeMs);
    unlinkSync(before);
  }
  rotate(suffix: string, content: string): void {
    renameSync(this.path, this.beside(suffix));
    this.create(content);
  }
  look(room = 1000): void {
    this.source.clock.advanceTo(this.source.clock.now() + 200);
    this.source.poll(room);
  }
  /** Long enough for everything that waits for a second look, or for a second. */
  settle(): void {
    for (let i = 0; i < 20; i++) this.look();
  }
  restart(whileAway: () => void): void {
    const snapshot = this.source.snapshot();
    this.#read.push(...this.source.values);
    this.source.source.close();
    whileAway();
    this.#start(snapshot);
    this.source.clock.advanceTo(1_100_000);
  }
  get missing(): string | undefined {
    return this.source.source.status().mayBeMissing;
  }
  get numbers(): unknown[] {
    return [...this.#read, ...this.source.values].map((row) => (row as { n: unknown }).n);
  }
}

/** Each case changes a log with rows 1 and 2, and has the rows that must be read at the end. */
const cases: Readonly<Record<string, { readonly happens: (log: Followed) => void; readonly rows: readonly number[] }>> =
  {
    'renamed, and a new file begun': {
      happens(log) {
        log.rotate('.1', lines(3));
        log.settle();
        log.append(4);
      },
      rows: [1, 2, 3, 4],
    },
    'renamed after more was appended': {
      happens(log) {
        log.append(3, 4);
        log.rotate('.1', lines(5));
      },
      rows: [1, 2, 3, 4, 5],
    },
    'renamed, and its writer goes on for a moment': {
      happens(log) {
        log.rotate('.1', lines(4));
        log.look();
        appendFileSync(log.beside('.1'), line(3));
        log.look();
      },
      rows: [1, 2, 3, 4],
    },
    'renamed while its last line waits for its end': {
      happens(log) {
        appendFileSync(log.path, '{"n":3');
        log.look();
        appendFileSync(log.path, '}');
        log.rotate('.1', lines(4));
      },
      rows: [1, 2, 3, 4],
    },
    'rotated several times between two looks': {
      happens(log) {
        log.append(3);
        log.rotate('.3', lines(4, 5));
        log.rotate('.2', lines(6));
        log.rotate('.1', lines(7));
      },
      rows: [1, 2, 3, 4, 5, 6, 7],
    },
    'rotated twice, with dates in the names, and followed no file in between': {
      happens(log) {
        renameSync(log.path, log.beside('-20240130'));
        log.look();
        log.create(lines(3));
        renameSync(log.path, log.path.replace('.jsonl', '-2024-01-31.jsonl'));
        log.create(lines(4));
      },
      rows: [1, 2, 3, 4],
    },
    'absent for a while': {
      happens(log) {
        renameSync(log.path, log.beside('.1'));
        log.settle();
        appendFileSync(log.beside('.1'), line(3));
        log.settle();
        log.create(lines(4));
      },
      rows: [1, 2, 3, 4],
    },
    'renamed and named back': {
      happens(log) {
        renameSync(log.path, log.beside('.1'));
        log.look();
        renameSync(log.beside('.1'), log.path);
        log.append(3);
      },
      rows: [1, 2, 3],
    },
    'rotated twice between two looks, to names without the extension': {
      happens(log) {
        const numbered = (n: number): string => log.path.replace('.jsonl', `.${n}`);
        log.append(3);
        renameSync(log.path, numbered(1));
        log.create(lines(4));
        renameSync(numbered(1), numbered(2));
        renameSync(log.path, numbered(1));
        log.create(lines(5));
      },
      rows: [1, 2, 3, 4, 5],
    },
    'gone, and a folder has its name for a while': {
      happens(log) {
        unlinkSync(log.path);
        mkdirSync(log.path);
        log.settle();
        rmdirSync(log.path);
        log.create(lines(3));
      },
      rows: [1, 2, 3],
    },
    'packed and truncated when all was read': {
      happens(log) {
        writeFileSync(log.beside('.1.gz'), gzipSync(readFileSync(log.path)));
        truncateSync(log.path);
        log.look();
        log.append(3);
      },
      rows: [1, 2, 3],
    },
    'copied and truncated': {
      happens(log) {
        copyFileSync(log.path, log.beside('.1'));
        truncateSync(log.path);
        log.look();
        log.append(3);
      },
      rows: [1, 2, 3],
    },
    'copied and truncated, with rows that nobody had read': {
      happens(log) {
        log.append(3, 4);
        copyFileSync(log.path, log.beside('.1'));
        truncateSync(log.path);
        log.append(5);
      },
      rows: [1, 2, 3, 4, 5],
    },
    'rewritten by a shorter one': {
      happens(log) {
        log.rewrite(3);
      },
      rows: [1, 2, 3],
    },
    'truncated and regrown beyond what was read': {
      happens(log) {
        log.rewrite(3, 4, 5);
      },
      rows: [1, 2, 3, 4, 5],
    },
    'rewritten by one of the same size': {
      happens(log) {
        log.rewrite(8, 9);
        log.look();
        log.append(10);
      },
      rows: [1, 2, 8, 9, 10],
    },
    'rewritten in place with the same beginning': {
      happens(log) {
        truncateSync(log.path);
        log.look();
        log.rewrite(1, 2, 3);
      },
      rows: [1, 2, 3],
    },
    'replaced by one that begins with what was read': {
      happens(log) {
        log.create(lines(1, 2, 3));
      },
      rows: [1, 2, 3],
    },
    'replaced by one that begins with what was read, while a line waits for its end': {
      happens(log) {
        appendFileSync(log.path, '{"n":3');
        log.look();
        log.create(lines(1, 2, 3, 4));
      },
      rows: [1, 2, 3, 4],
    },
    'replaced by one of the same size': {
      happens(log) {
        log.create(lines(8, 9));
      },
      rows: [1, 2, 8, 9],
    },
    'touched, and nothing else': {
      happens(log) {
        utimesSync(log.path, 10, 10);
        log.look();
        log.append(3);
      },
      rows: [1, 2, 3],
    },
  };

for (const [what, { happens, rows }] of Object.entries(cases)) {
  test(`a followed file that is ${what}: every row once`, () => {
    const log = new Followed(lines(1, 2));
    happens(log);
    log.settle();
    assert.deepEqual(log.numbers, rows);
    assert.deepEqual(log.source.errors, []);
    log.source.source.close();
  });
  test(`a followed file that is ${what}: a restore afterwards goes on behind the last row`, () => {
    const log = new Followed(lines(1, 2));
    happens(log);
    log.settle();
    log.restart(() => log.append(99));
    log.settle();
    assert.deepEqual(log.numbers, [...rows, 99]);
    log.source.source.close();
  });
}

test('a large file is followed while it grows, and its rotation loses nothing', () => {
  const long = (from: number, to: number): string => lines(...Array.from({ length: to - from }, (_, i) => from + i));
  const log = new Followed(long(0, 60_000));
  for (let i = 0; i < 10; i++) {
    log.look(3000);
    log.append(60_000 + i);
  }
  for (let i = 0; i < 60; i++) log.look(3000);
  log.append(60_010);
  log.rotate('.1', long(60_011, 70_000));
  for (let i = 0; i < 60; i++) log.look(3000);
  assert.deepEqual(
    log.numbers,
    Array.from({ length: 70_000 }, (_, n) => n),
  );
});

test('a large file that is rewritten in one place, and keeps its size, is read from its start', () => {
  const numbers = Array.from({ length: 10_000 }, (_, n) => n);
  const log = new Followed(lines(...numbers));
  for (let i = 0; i < 10; i++) log.look();
  log.rewrite(...numbers.map((n) => (n === 5000 ? 5001 : n)));
  log.settle();
  assert.equal(log.numbers.length, 20_000);
  assert.equal(log.numbers[15_000], 5001);
});

test('the rest without a line end, when its file is replaced, is the last row or a rejected record', () => {
  const log = new Followed(`${lines(1, 2)}{"n":`);
  log.rotate('.1', lines(3));
  log.settle();
  assert.deepEqual(log.numbers, [1, 2, 3]);
  assert.match(log.source.errors[0]!.error, /^log\.jsonl line 3: It is not JSON/);
});

test('CSV: a new file brings its own header', () => {
  const log = new Followed('n,x\n1,a\n', 'log.csv');
  log.rotate('.1', 'x,n\nb,2\n');
  log.settle();
  appendFileSync(log.path, 'c,3\n');
  log.look();
  log.rotate('.2', '');
  log.settle();
  appendFileSync(log.path, 'n\n4\n');
  log.settle();
  assert.deepEqual(log.source.values, [{ n: 1, x: 'a' }, { x: 'b', n: 2 }, { x: 'c', n: 3 }, { n: 4 }]);
});

test('a writer that goes on with the former file for long is an error that names the unread part', () => {
  const log = new Followed(lines(1, 2));
  log.rotate('.1', lines(3));
  log.settle();
  appendFileSync(log.beside('.1'), line(4));
  assert.throws(() => log.look(), {
    code: 'file-changed',
    message: /has grown by 8 bytes after it was replaced, and they were not read/,
  });
  assert.deepEqual(log.numbers, [1, 2, 3]);
});

for (const [form, pack] of [
  ['gz', gzipSync],
  ['zst', zstdCompressSync],
] as const) {
  const packs = (log: Followed): void => {
    log.append(3, 4);
    writeFileSync(log.path.replace('.jsonl', `.1.${form}`), pack(readFileSync(log.path)));
    truncateSync(log.path);
    log.append(5);
  };
  test(`rows that exist only in a .${form} of a truncated file: every row once`, () => {
    const log = new Followed(lines(1, 2));
    packs(log);
    log.settle();
    assert.deepEqual(log.numbers, [1, 2, 3, 4, 5]);
    assert.equal(log.missing, undefined);
  });
  test(`a restored source whose file was packed as .${form} and truncated: every row once`, () => {
    const log = new Followed(lines(1, 2));
    log.restart(() => packs(log));
    log.settle();
    assert.deepEqual(log.numbers, [1, 2, 3, 4, 5]);
    assert.equal(log.missing, undefined);
  });
  test(`a restored source whose file was renamed, packed as .${form} and rotated again: every row once`, () => {
    const log = new Followed(lines(1, 2));
    log.restart(() => {
      log.append(3);
      const content = readFileSync(log.path);
      const { mtimeMs } = statSync(log.path);
      log.rotate('.1', lines(4));
      log.rotate('.2', lines(5));
      unlinkSync(log.beside('.1'));
      writeFileSync(log.beside(`.3.${form}`), pack(content));
      // gzip and zstd keep the time of the content.
      utimesSync(log.beside(`.3.${form}`), mtimeMs / 1000, Math.floor(mtimeMs) / 1000);
    });
    log.settle();
    assert.deepEqual(log.numbers, [1, 2, 3, 4, 5]);
    assert.equal(log.missing, undefined);
  });
}

test('an archive with 300 MB of rows is read on, step by step', () => {
  const filler = `{"n":0,"x":"${'x'.repeat(1 << 20)}"}\n`.repeat(300);
  const log = new Followed(lines(1, 2));
  const archive = gzipSync(readFileSync(log.path, 'utf8') + filler + line(3), { level: 1 });
  writeFileSync(log.beside('.1.gz'), archive);
  truncateSync(log.path);
  for (let i = 0; i < 60; i++) log.look(10);
  assert.deepEqual(
    log.numbers.filter((n) => n !== 0),
    [1, 2, 3],
  );
});

test('CSV: the rest is read from a packed copy, with the header of that file', () => {
  const log = new Followed('n,x\n1,a\n', 'log.csv');
  appendFileSync(log.path, '2,b\n');
  writeFileSync(log.beside('.1.gz'), gzipSync(readFileSync(log.path)));
  writeFileSync(log.path, 'x,n\nc,3\n');
  log.settle();
  assert.deepEqual(log.source.values, [
    { n: 1, x: 'a' },
    { n: 2, x: 'b' },
    { x: 'c', n: 3 },
  ]);
});

const gaps: Readonly<
  Record<
    string,
    { readonly happens: (log: Followed) => void; readonly rows: readonly number[]; readonly says?: RegExp }
  >
> = {
  'appended to and truncated': {
    happens(log) {
      log.append(3, 4);
      truncateSync(log.path);
      log.look();
      log.append(5);
    },
    rows: [1, 2, 5],
  },
  'appended to, truncated and regrown to the same size': {
    happens(log) {
      log.append(3, 4);
      log.rewrite(5, 6);
    },
    rows: [1, 2, 5, 6],
  },
  'appended to, truncated and regrown beyond what was read': {
    happens(log) {
      log.append(3, 4);
      log.rewrite(5, 6, 7, 8, 9);
    },
    rows: [1, 2, 5, 6, 7, 8, 9],
  },
  'appended to, packed in a way that cannot be read, and truncated': {
    happens(log) {
      log.append(3, 4);
      writeFileSync(log.beside('.1.xz'), 'packed');
      truncateSync(log.path);
      log.append(5);
    },
    rows: [1, 2, 5],
    says: /log\.jsonl\.1\.xz may have them: unpack and read with file\(\)\./,
  },
};
for (const [what, { happens, rows, says }] of Object.entries(gaps))
  test(`a followed file that is ${what} between two looks: it goes on, and says what may be missing`, () => {
    const log = new Followed(lines(1, 2));
    happens(log);
    log.settle();
    assert.deepEqual(log.numbers, rows);
    assert.match(
      log.missing ?? '',
      /^Rows of log\.jsonl may be missing: the file was truncated or rewritten between \S+Z and \S+Z\. What was appended behind line 2 \(byte 16\)/,
    );
    if (says) assert.match(log.missing!, says);
    assert.equal(log.source.source.status().note, log.missing, 'the cell shows it');
    log.restart(() => log.append(99));
    log.settle();
    assert.match(log.missing ?? '', /^Rows of log\.jsonl may be missing/, 'a restore does not forget it');
    truncateSync(log.path);
    log.settle();
    assert.match(log.missing ?? '', /This has happened 2 times\.$/);
  });

test('a restored source, while a packed file had the name in between, says which one', () => {
  const log = new Followed(lines(1, 2));
  log.restart(() => {
    log.append(3);
    log.rotate('.3', lines(4));
    renameSync(log.path, log.beside('.2'));
    log.create(lines(5));
    writeFileSync(log.beside('.2.gz'), gzipSync(readFileSync(log.beside('.2'))));
    unlinkSync(log.beside('.2'));
  });
  log.settle();
  assert.deepEqual(log.numbers, [1, 2, 3, 5]);
  assert.match(log.missing ?? '', /behind line 3 of a former file: .* log\.jsonl\.2\.gz may have them/);
});

// ------------------------------------------------------------------------- while no source follows

const restored: Readonly<Record<string, { readonly away: (log: Followed) => void; readonly rows: readonly number[] }>> =
  {
    'has grown': { away: (log) => log.append(3), rows: [1, 2, 3] },
    'was renamed': {
      away(log) {
        log.append(3);
        log.rotate('.1', lines(4));
      },
      rows: [1, 2, 3, 4],
    },
    'was renamed several times': {
      away(log) {
        log.append(3);
        log.rotate('.2', lines(4));
        log.rotate('.1', lines(5));
      },
      rows: [1, 2, 3, 4, 5],
    },
    'was copied and truncated': {
      away(log) {
        log.append(3);
        copyFileSync(log.path, log.beside('.1'));
        truncateSync(log.path);
        log.append(4);
      },
      rows: [1, 2, 3, 4],
    },
    'was replaced by one that begins with what was read': {
      away: (log) => log.create(lines(1, 2, 3)),
      rows: [1, 2, 3],
    },
  };
for (const [what, { away, rows }] of Object.entries(restored))
  test(`a restored source whose file ${what}: every row once`, () => {
    const log = new Followed(lines(1, 2));
    log.restart(() => away(log));
    log.settle();
    assert.deepEqual(log.numbers, rows);
    log.source.source.close();
  });

const lost: Readonly<Record<string, (log: Followed) => void>> = {
  'was truncated': (log) => truncateSync(log.path),
  'was truncated and has regrown': (log) => log.rewrite(3, 4, 5),
  'was rewritten by one of the same size': (log) => log.rewrite(8, 9),
  'was replaced by another': (log) => log.create(lines(7)),
};
for (const [what, away] of Object.entries(lost))
  test(`a restored source whose file ${what}: an error that says what may be missing`, () => {
    const log = new Followed(lines(1, 2));
    log.restart(() => away(log));
    assert.throws(() => log.look(), {
      code: 'file-changed',
      message:
        /no longer begins with the 2 lines that were read.* Lines after line 2 of the former file may be missing/,
    });
  });

test('a source that has read nothing yet is restored into a file that was renamed', () => {
  const log = new Followed('');
  log.restart(() => {
    log.append(1);
    log.rotate('.1', lines(2));
  });
  log.settle();
  assert.deepEqual(log.numbers, [1, 2]);
});
