// A sink of a notebook whose commit fails for a while: its rows are finished at a barrier, a
// checkpoint has them, and no source will send them again. Whatever happens to the notebook
// meanwhile, each row is in the target once when commits succeed again.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };

/**
 * A transaction is a file with its rows, named by the first one. While the file `away` is there no
 * commit succeeds, and each one that fails is a dot in `tried`.
 */
const sink = (version: number): string => `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
const at = (name: string): string => import.meta.dirname + '/' + name;
rows.sink({
  begin: (): number[] => [],
  write: (numbers: number[], { n }: { n: number }) => void numbers.push(n),
  preCommit: (numbers: number[]) => numbers,
  commit(numbers: number[]) {
    if (existsSync(at('away'))) {
      appendFileSync(at('tried'), '.');
      throw new Error('The target is away.');
    }
    writeFileSync(at('target/' + numbers[0]), numbers.join(' '));
  },
  abort() {},
});
// ${version}`;

describe('the commit of a sink fails', () => {
  interface Meanwhile {
    readonly what: string;
    readonly happens: (session: LiveSession) => Promise<void>;
  }
  const all: readonly Meanwhile[] = [
    { what: 'and nothing else happens', happens: () => Promise.resolve() },
    { what: 'while the executor crashes', happens: (session) => session.crash() },
    {
      what: 'while its cell runs again with another text',
      async happens(session) {
        session.edit('out', sink(2));
        await session.ran('out');
      },
    },
    {
      what: 'while another cell joins',
      async happens(session) {
        session.edit('more', 'rows.filter(({ n }) => n % 2 === 0).show();');
        await session.ran('more');
      },
    },
  ];
  for (const { what, happens } of all)
    test(what, timeout, async () => {
      await using session = new LiveSession({ files: { 'rows.jsonl': '' } });
      const at = (name: string): string => join(session.folder, name);
      mkdirSync(at('target'));
      const append = (from: number, to: number): void => {
        for (let n = from; n < to; n++) appendFileSync(at('rows.jsonl'), `{"n":${n}}\n`);
      };
      const found = (): number[] =>
        readdirSync(at('target')).flatMap((name) =>
          readFileSync(at(`target/${name}`), 'utf8')
            .split(' ')
            .map(Number),
        );
      const untilFound = async (count: number): Promise<void> => {
        await session.until(
          () => found().length,
          (rows) => rows >= count,
          `${count} rows in the target`,
          120_000,
        );
      };
      const tried = (): number => (existsSync(at('tried')) ? readFileSync(at('tried')).length : 0);
      const untilTried = async (times: number): Promise<void> => {
        await session.until(tried, (count) => count >= times, `${times} commits that fail`, 120_000);
      };
      session.edit(
        'in',
        `import { file } from 'sluice';\nconst rows = file<{ n: number }>('rows.jsonl', { follow: true });\nrows;`,
      );
      session.edit('out', sink(1));
      await session.ran('in', 'out');
      session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
      append(0, 10);
      await untilFound(10);
      writeFileSync(at('away'), '');
      append(10, 20);
      await untilTried(1);
      await session.until(
        () => session.state('out')?.trouble ?? session.state('out')?.reason,
        (text) => text?.includes('the commit failed: The target is away; trying again') === true,
        'the reason',
        120_000,
      );
      await happens(session);
      append(20, 30);
      await untilTried(tried() + 1);
      assert.deepEqual(found().length, 10);
      rmSync(at('away'));
      await untilFound(30);
      append(30, 35);
      await untilFound(35);
      assert.deepEqual(
        found().sort((a, b) => a - b),
        Array.from({ length: 35 }, (_, n) => n),
      );
      assert.deepEqual(session.state('out')?.errors, []);
    });
});
