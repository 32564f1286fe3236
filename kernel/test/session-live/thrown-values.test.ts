// A cell or an operator may throw anything: it fails with an error that can be read, and nothing
// else stops.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };

const cases: readonly { readonly what: string; readonly thrown: string; readonly message: RegExp }[] = [
  {
    what: 'an error whose message throws',
    thrown: `Object.defineProperty(new Error('given'), 'message', { get() { throw new Error('no'); } })`,
    message: /^Error: \(its message cannot be read/,
  },
  {
    what: 'an error whose stack throws',
    thrown: `Object.defineProperty(new Error('given'), 'stack', { get() { throw new Error('no'); } })`,
    message: /^Error: given$/,
  },
  {
    what: 'a revoked Proxy',
    thrown: `(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()`,
    message: /^Thrown: <Revoked Proxy>$/,
  },
  {
    what: 'a Proxy whose traps throw',
    thrown: `new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; }, has() { throw 3; } })`,
    message: /^Thrown: \{\}$/,
  },
  {
    what: 'a name that is a symbol',
    thrown: `Object.assign(new Error('given'), { name: Symbol('n') })`,
    message: /^Error: given$/,
  },
  {
    what: 'an error that is its own cause',
    thrown: `(() => { const e = new Error('given'); e.stack = ''; e.cause = e; return e; })()`,
    message: /^Error: given$/,
  },
  {
    what: '20 million characters',
    thrown: `new Error('x'.repeat(2e7))`,
    message: /^Error: x{9000,10000}… \(20,000,007 characters\)$/,
  },
  {
    what: 'an object of 20 million characters',
    thrown: `Object.assign(new TypeError(), { message: { text: 'y'.repeat(2e7), list: 'z'.repeat(2e7) } })`,
    message: /^TypeError: \{[^]{9000,10100}characters\)$/,
  },
];

describe('whatever is thrown', () => {
  let session: LiveSession;
  beforeAll(async () => {
    session = new LiveSession();
    session.edit(
      'ticks',
      `import { generate } from 'sluice';\nconst ticks = generate({ rate: 100 }, ({ n }) => ({ n }));`,
    );
    session.edit('ok', 'ticks.show();');
    await session.ran('ticks', 'ok');
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
  });
  const healthy = async (): Promise<void> => {
    const total = session.total('ok');
    await session.until(
      () => session.total('ok'),
      (now) => now > total + 5,
      'rows of the other cell',
    );
    assert.equal(session.control.session.executor, 'ready');
    assert.equal(session.control.session.endsWithoutCause.length, 0, 'the thread is still the first one');
  };

  for (const { what, thrown, message } of cases) {
    test(`by a cell: ${what}`, timeout, async () => {
      session.edit('bad', `const thrown: any = ${thrown};\nthrow thrown;`);
      const [result] = await session.run('bad');
      assert.equal(result!.ok, false);
      assert.match(session.state('bad')!.errors[0]!.message, message);
      assert.equal(session.state('bad')!.errors[0]!.code, 'exception');
      await healthy();
    });

    test(`by an operator: ${what}`, timeout, async () => {
      session.edit('bad', `ticks.map((r) => { const thrown: any = ${thrown};\nthrow thrown; }).show();`);
      await session.ran('bad');
      const errors = await session.until(
        () => session.state('bad')!.errors,
        (found) => found.length > 0,
        'the error of the operator',
      );
      assert.match(errors[0]!.message, message);
      await healthy();
    });
  }
});
