// Views: a snapshot, then deltas without a gap, at most five per second.
// Hidden views cost nothing. Rows of a former stream never appear under the new one.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { aChart, aTable, Client, installsOf, Rig, row } from './rig.ts';

test('a client gets a snapshot, then deltas that grow by one', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  rig.rows('a/0', [row(1)]);
  client.hello('a');
  rig.rows('a/0', [row(2)]);
  rig.pass(1000);
  rig.rows('a/0', [row(3)]);
  rig.pass(1000);
  assert.deepEqual(client.types(), ['snapshot', 'delta', 'delta']);
  const [first, second, third] = client.messages.map(({ seq }) => seq);
  assert.deepEqual([second, third], [first! + 1, first! + 2]);
  assert.deepEqual(client.numbers(), [1, 2, 3]);
});

test('many rows a second make at most five frames a second', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  for (let n = 1; n <= 1000; n++) {
    rig.rows('a/0', [row(n)]);
    rig.pass(2);
  }
  const deltas = client.messages.length - 1;
  rig.pass(1000);
  assert.ok(deltas >= 8 && deltas <= 10, `${deltas} frames in two seconds`);
  assert.deepEqual(client.numbers(), [998, 999, 1000]);
});

test('a flush sends at once what waits for a frame, and the frame after it sends nothing', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.rows('a/0', [row(1)]);
  rig.store.flush();
  assert.deepEqual(client.numbers(), [1]);
  assert.deepEqual(client.types(), ['snapshot', 'delta']);
  rig.pass(1000);
  assert.deepEqual(client.types(), ['snapshot', 'delta']);
});

test('a frame carries no more rows than the part keeps', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.pass(1000);
  rig.rows(
    'a/0',
    Array.from({ length: 50 }, (_, n) => row(n + 1)),
  );
  rig.pass(1000);
  const last = client.messages.at(-1);
  const change = last?.type === 'delta' ? last.changes[0] : undefined;
  assert.equal(change?.kind === 'rows' && change.rows.length, 3);
});

test('a view without a watcher makes no frames, and a hello gets the present rows', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  client.hide('a');
  rig.pass(1000);
  const before = client.messages.length;
  rig.rows('a/0', [row(1)]);
  assert.ok(rig.isQuiet, 'nothing is scheduled');
  rig.pass(1000);
  assert.equal(client.messages.length, before);
  client.hello('a');
  assert.equal(client.messages.at(-1)?.type, 'snapshot');
  assert.deepEqual(client.numbers(), [1]);
});

test('a client that was away for a moment gets the deltas it misses, while another one watches', () => {
  const rig = new Rig();
  const [one, two] = [new Client(rig, 'one'), new Client(rig, 'two')];
  rig.shows('a', [aTable]);
  one.hello('a');
  two.hello('a');
  two.hide('a');
  for (const n of [1, 2]) {
    rig.rows('a/0', [row(n)]);
    rig.pass(1000);
  }
  two.hello('a');
  assert.deepEqual(two.types(), ['snapshot', 'delta', 'delta']);
  assert.deepEqual(two.numbers(), [1, 2]);
});

test('who comes back when nothing has changed gets nothing', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.pass(1000);
  const before = client.messages.length;
  client.hide('a');
  client.hello('a');
  assert.equal(client.messages.length, before);
});

test('a slow client misses frames and then has everything, in order', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.pass(1000);
  client.isReady = false;
  for (let n = 1; n <= 40; n++) {
    rig.rows('a/0', [row(n)]);
    rig.pass(250);
  }
  const before = client.messages.length;
  client.isReady = true;
  rig.pass(1000);
  assert.deepEqual(client.types().slice(before), ['snapshot'], 'forty frames are more than are remembered');
  assert.deepEqual(client.numbers(), [38, 39, 40]);
});

test('rows of the stream that is being replaced go to the old display, those of the new one wait for the commit', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.rows('a/0', [row(1)]);
  rig.store.prepare('a', { displayed: { parts: [aTable] } }, installsOf('a', [aTable], 2, false));
  rig.rows('a/0', [row(1, { v: 'new' })], { installed: 2 });
  rig.rows('a/0', [row(2)]);
  rig.pass(1000);
  assert.deepEqual(client.numbers(), [1, 2]);
  rig.store.showPrepared();
  rig.rows('a/0', [row(3)]);
  rig.pass(1000);
  assert.deepEqual(
    client.parts.map((part) => 'rows' in part && part.rows.map(({ value }) => value)),
    [[{ v: 'new' }]],
  );
});

test('a mutation that fails leaves the display as it is', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.store.prepare('a', { displayed: { parts: [aTable] } }, installsOf('a', [aTable], 2, false));
  rig.store.dropPrepared();
  rig.rows('a/0', [row(1)]);
  rig.pass(1000);
  assert.deepEqual(client.numbers(), [1]);
});

test('a cell that is run again over a kept stream keeps its rows, and its part when nothing else changed', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.rows('a/0', [row(1)]);
  rig.pass(1000);
  const before = client.messages.length;
  rig.shows('a', [aTable], 1, true);
  rig.pass(1000);
  assert.equal(client.messages.length, before, 'the same part: nothing to say');
  rig.shows('a', [{ ...aTable, rows: 5 }], 1, true);
  rig.rows('a/0', [row(2), row(3), row(4)]);
  rig.pass(1000);
  assert.deepEqual(client.numbers(), [1, 2, 3, 4]);
});

test('parts of a cell come in order: errors, displays, log', () => {
  const rig = new Rig();
  const client = new Client(rig);
  client.hello('a');
  rig.store.log('a', [{ level: 'log', at: 0, text: 'hi' }], 0);
  rig.shows('a', [aTable, { kind: 'backpressure' }]);
  rig.store.showErrors({
    id: 'a',
    text: '',
    version: 1,
    armed: [],
    deleted: false,
    error: { code: 'x', message: 'No.' },
  });
  rig.pass(1000);
  assert.deepEqual(
    client.parts.map(({ kind }) => kind),
    ['error', 'table', 'backpressure', 'log'],
  );
  rig.store.showErrors({ id: 'a', text: '', version: 1, armed: [], deleted: false });
  rig.store.clearLog('a');
  rig.pass(1000);
  assert.deepEqual(
    client.parts.map(({ kind }) => kind),
    ['table', 'backpressure'],
  );
  rig.store.remove('a');
  rig.pass(1000);
  assert.deepEqual(client.parts, []);
  assert.equal(rig.store.hasView('a'), false);
});

test('after a restoration the view is as it was at the snapshot, and no row shows twice', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.rows('a/0', [row(1), row(2)]);
  const saved = rig.store.save();
  rig.rows('a/0', [row(3)]);
  rig.pass(1000);
  rig.store.rewind(saved, { at: 12_000, from: 11_000 });
  rig.rows('a/0', [row(3)]);
  rig.pass(1000);
  assert.equal(client.messages.at(-1)?.type, 'snapshot', 'another epoch');
  assert.deepEqual(client.numbers(), [1, 2, 3]);
});

test('a chart keeps event time: rows that are too old by the newest one go', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aChart]);
  client.hello('a');
  rig.rows('a/0', [row(1, { at: 1, v: 1 }, 0), row(2, { at: 2, v: 1 }, 5_000), row(3, { at: 3, v: 1 }, 12_000)]);
  rig.pass(1000);
  assert.deepEqual(client.numbers(), [2, 3]);
});

test('a chart’s spec is made anew once its first row shows what its fields are', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aChart]);
  client.hello('a');
  const type = (): unknown => {
    const [part] = client.parts;
    const encoding = part?.kind === 'chart' ? (part.spec['encoding'] as { x: { type: string } }) : undefined;
    return encoding?.x.type;
  };
  assert.equal(type(), 'quantitative');
  rig.rows('a/0', [row(1, { at: new Date(5), v: 1 })]);
  rig.pass(1000);
  assert.equal(type(), 'temporal');
  rig.rows('a/0', [row(2, { at: new Date(6), v: 1 })]);
  rig.pass(1000);
  const last = client.messages.at(-1);
  assert.deepEqual(last?.type === 'delta' && last.changes.map(({ kind }) => kind), ['rows'], 'patched, not put again');
});

test('rows with the same key and window replace each other', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [{ ...aTable, key: ['k'] }]);
  client.hello('a');
  const fired = (n: number, k: string, start: number) =>
    row(n, { k, windowStart: new Date(start), windowEnd: new Date(start + 10) });
  rig.rows('a/0', [fired(1, 'ann', 0), fired(2, 'bob', 0), fired(3, 'ann', 0), fired(4, 'ann', 10)]);
  rig.pass(1000);
  assert.deepEqual(client.numbers(), [3, 2, 4], 'a replaced row keeps its place');
});

test('the caption has windows and watermark, or the reason why no rows come', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.rows('a/0', [row(1, { windowStart: new Date(0), windowEnd: new Date(10) })], { watermark: 25 });
  rig.pass(1000);
  const caption = () => {
    const [part] = client.parts;
    return part?.kind === 'table' ? part.caption : undefined;
  };
  assert.deepEqual(caption(), { pieces: ['windows to ', { time: 10 }, ' · watermark ', { time: 25 }], waiting: false });
  rig.store.explain(() => ({ pieces: ['no window has closed'] }));
  rig.pass(1000);
  assert.deepEqual(caption(), { pieces: ['no window has closed'], waiting: true });
});

test('a display that is over and has no row is not shown, until a row comes', () => {
  const rig = new Rig();
  const client = new Client(rig);
  rig.shows('a', [aTable]);
  client.hello('a');
  rig.store.explain(() => ({ pieces: ['stopped'], isOver: true }));
  rig.pass(1000);
  assert.equal(client.parts.length, 0);
  rig.rows('a/0', [row(1, { n: 1 })]);
  rig.store.explain(() => ({ pieces: ['stopped'], isOver: true }));
  rig.pass(1000);
  assert.equal(client.parts[0]?.kind, 'table');
});

test('everything a display keeps can be had as JSON lines', () => {
  const rig = new Rig();
  rig.shows('a', [aTable]);
  rig.rows('a/0', [row(1, { at: new Date(0), big: 5n }), row(2, 'text')]);
  assert.equal(rig.store.jsonLines('a', '0'), '{"at":"1970-01-01T00:00:00.000Z","big":"5"}\n"text"\n');
});

test('whatever clients and rows do, who watches has at rest what the store has', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('rows' as const), count: fc.integer({ min: 1, max: 6 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), millis: fc.integer({ min: 1, max: 400 }) }),
    },
    fc.record({ kind: fc.constantFrom('hello', 'hide', 'slow', 'quick'), client: fc.integer({ min: 0, max: 1 }) }),
    fc.record({ kind: fc.constantFrom('again', 'kept', 'rewind', 'log', 'error') }),
  );
  fc.assert(
    fc.property(fc.array(action, { size: 'max', minLength: 5, maxLength: 80 }), (actions) => {
      const rig = new Rig();
      const clients = [new Client(rig, 'one'), new Client(rig, 'two')];
      const watching = new Set<Client>();
      rig.shows('a', [aTable]);
      let [n, installed, logged] = [0, 1, 0];
      let saved = rig.store.save();
      for (const next of actions) {
        const client = 'client' in next ? clients[next.client]! : clients[0]!;
        switch (next.kind) {
          case 'rows':
            rig.rows(
              'a/0',
              Array.from({ length: next.count }, () => row(++n)),
              { installed },
            );
            break;
          case 'pass':
            rig.pass(next.millis);
            break;
          case 'hello':
            client.hello('a');
            watching.add(client);
            break;
          case 'hide':
            client.hide('a');
            watching.delete(client);
            break;
          case 'slow':
          case 'quick':
            client.isReady = next.kind === 'quick';
            break;
          case 'again':
            rig.shows('a', [aTable], ++installed);
            n = 0;
            break;
          case 'kept':
            rig.shows('a', [{ ...aTable, rows: 2 + (n % 3) }], installed, true);
            break;
          case 'rewind':
            rig.store.rewind(saved, { at: 12_000, from: 11_000 });
            break;
          case 'log':
            rig.store.log('a', [{ level: 'log', at: ++logged * 1000, text: String(logged) }], 0);
            break;
          case 'error':
            rig.store.showErrors({
              id: 'a',
              text: '',
              version: 1,
              armed: [],
              deleted: false,
              ...(n % 2 && { error: { code: 'x', message: String(n) } }),
            });
            break;
        }
        if (n % 5 === 0) saved = rig.store.save();
      }
      for (const client of clients) client.isReady = true;
      rig.pass(5000);
      assert.ok(rig.isQuiet, 'frames go on although nothing changes');
      const fresh = new Client(rig, 'fresh');
      fresh.hello('a');
      for (const client of watching) assert.deepEqual(client.parts, fresh.parts);
      for (const { messages } of clients) assertNoHole(messages);
    }),
    { numRuns: 300 },
  );
});

function assertNoHole(messages: Client['messages']): void {
  for (const [index, message] of messages.entries()) {
    if (message.type === 'snapshot') continue;
    const before = messages[index - 1];
    assert.ok(before && before.epoch === message.epoch && before.seq === message.seq - 1, 'a delta follows nothing');
  }
}
