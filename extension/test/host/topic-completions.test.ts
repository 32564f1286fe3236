// The place of a topic's name in a cell, and the lists of names behind its completions.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { topicCallAt, topicCallNear } from '../../browse/topic-call.ts';
import { TopicNames } from '../../browse/topic-names.ts';

/** `|` is the cursor. */
function callAt(marked: string) {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const call = topicCallAt(text, offset);
  return call && [call.topic, text.slice(call.start, call.end), call.connection];
}

test('a topic is written inside the quotes of kafka() and table(), and nowhere else', () => {
  assert.deepEqual(callAt("kafka('|"), ['', '', undefined]);
  assert.deepEqual(callAt("kafka('or|d')"), ['ord', 'ord', undefined]);
  assert.deepEqual(callAt('kafka<Order>("eu.o|", { from: "earliest" })'), ['eu.o', 'eu.o', undefined]);
  assert.deepEqual(callAt("table(`o|`, { key: 'id' })"), ['o', 'o', undefined]);
  for (const other of ["kafka('a'|)", "kafka('a', { name: '|' })", "file('|')", "mykafka('|')", "'kafka'|"])
    assert.equal(callAt(other), undefined, other);
});

test('the connection is that of the same call', () => {
  const text =
    "const a = kafka('x', { connection: 'eu' });\nconst b = kafka('y');\nconst c = kafka('z', {\n  connection: \"us\" });";
  assert.deepEqual(
    ["'x", "'y", "'z"].map((topic) => topicCallAt(text, text.indexOf(topic) + 1)?.connection),
    ['eu', undefined, 'us'],
  );
});

test('"this topic" is the one of the lines with the cursor, or the only one', () => {
  const one = "const a = kafka('x');\na.show();\n";
  assert.equal(topicCallNear(one, one.length, one.length)?.topic, 'x');
  const two = `${one}const b = kafka('y');`;
  assert.equal(topicCallNear(two, 0, 21)?.topic, 'x');
  assert.equal(topicCallNear(two, two.length - 5, two.length)?.topic, 'y');
  assert.equal(topicCallNear(two, 25, 30), undefined);
});

test('names are asked for once in half a minute, by connection', async () => {
  let now = 0;
  const asked: string[] = [];
  const names = new TopicNames(
    (connection) => {
      asked.push(connection);
      return Promise.resolve([`${connection}-${asked.length}`]);
    },
    () => now,
  );
  assert.deepEqual(await names.of('a'), ['a-1']);
  assert.deepEqual(await names.of('a'), ['a-1']);
  assert.deepEqual(await names.of('b'), ['b-2']);
  now = 31_000;
  assert.deepEqual(await names.of('a'), ['a-1'], 'the known names at once, while new ones are fetched');
  assert.deepEqual(await names.of('a'), ['a-3']);
  assert.deepEqual(asked, ['a', 'b', 'a']);
});

test('a list that fails is no error, and is not asked for again at once', async () => {
  let now = 0;
  let asked = 0;
  const names = new TopicNames(
    () => {
      asked++;
      return asked === 1 ? Promise.reject(new Error('away')) : Promise.resolve(['x']);
    },
    () => now,
  );
  assert.equal(await names.of('a'), undefined);
  assert.equal(await names.of('a'), undefined);
  assert.equal(asked, 1);
  now = 31_000;
  assert.deepEqual(await names.of('a'), ['x']);
});
