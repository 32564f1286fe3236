// What is no request and no notification of a client is refused, and a deep or a batched message is
// refused before its text is parsed.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { clientMessage } from '../../protocol/client-message.ts';

const deep = {
  lists: (levels: number) => '['.repeat(levels) + ']'.repeat(levels),
  objects: (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels),
};
const read = (text: string): unknown => clientMessage(Buffer.from(text));
const tooDeep = /^Error: A message is nested more than 32 levels deep\.$/;
const refusal = (reason: string): RegExp =>
  new RegExp(`^Error: A message is no request and no notification: ${reason}\\.$`);

test('requests and notifications pass as they are', () => {
  for (const text of [
    '{"jsonrpc":"2.0","id":1,"method":"shutdown"}',
    '{"jsonrpc":"2.0","id":0,"method":"shutdown","params":null}',
    '{"jsonrpc":"2.0","id":"a","method":"shutdown","params":[null]}',
    '{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}',
    ' \r\n\t{"jsonrpc":"2.0","id":-1.5,"method":"sync","params":{"cells":[{"id":"Straße","more":[[{}]]}]}}\n',
    `{"id":"${'i'.repeat(200)}","method":"${'m'.repeat(200)}"}`,
  ])
    assert.deepEqual(read(text), JSON.parse(text));
});

test('brackets, quotes and backslashes in a string are no levels', () => {
  for (const text of ['['.repeat(100), '"['.repeat(100), '\\'.repeat(99) + '[{'.repeat(50), '"', '\\', '\\"{', '…["']) {
    const message = { method: 'sync', params: { text, [text]: [text] } };
    assert.deepEqual(read(JSON.stringify(message)), message);
  }
});

for (const [kind, nested] of Object.entries(deep))
  test(`deep ${kind} are refused in each part of a message, before the text is parsed`, () => {
    for (const before of [
      '{"jsonrpc":"2.0","id":',
      '{"jsonrpc":"2.0","id":1,"method":',
      '{"jsonrpc":"2.0","id":1,"method":"hide","params":',
      '{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":',
      '{"jsonrpc":"2.0","id":1,"result":',
      '{"jsonrpc":"2.0","id":null,"error":',
      '{"jsonrpc":"2.0","id":1,"method":"sync","params":{"cells":[{"id":"a","kind":"code","text":"1","more":',
    ])
      for (const levels of [32, 5_000, 50_000]) {
        assert.throws(() => read(`${before}${nested(levels)}}`), tooDeep, `${before} ${levels}`);
        // The parser would name these letters.
        assert.throws(() => read(`${before}${nested(levels).slice(0, levels * 5)} no JSON`), tooDeep);
      }
  });

test('the largest depth is 32', () => {
  const message = (levels: number): string => `{"method":"hide","params":${deep.lists(levels - 1)}}`;
  assert.deepEqual(read(message(32)), JSON.parse(message(32)));
  assert.throws(() => read(message(33)), tooDeep);
});

test('what is no object is refused before the text is parsed', () => {
  const request = '{"jsonrpc":"2.0","id":1,"method":"hide","params":{"view":"a"}}';
  const batch = `[${new Array<string>(5_000).fill(request).join()}]`;
  for (const text of ['null', '1', '"a"', '', ' ', '[]', ' [1', batch, `${batch.slice(0, -1)} no JSON`])
    assert.throws(() => read(text), /^Error: A message is no JSON object\.$/, text.slice(0, 20));
});

test('what is no JSON is refused by the parser', () => {
  for (const text of ['{"jsonrpc"', '{"a":"', '{"a":"\\', '{]', '{}}', '{"a":1,}', '\ufeff{}', '{"method":"a"} {}'])
    assert.throws(() => read(text), /^(SyntaxError|Error: A message is no JSON object)/, text);
});

test('an id is a short string or a finite number', () => {
  for (const id of ['null', '[]', '{}', 'true', '{"toString":1}', '1e999', '[[1]]'])
    assert.throws(() => read(`{"id":${id},"method":"hide"}`), refusal('its id is no string and no number'), id);
  for (const length of [201, 1_000_000])
    assert.throws(
      () => read(`{"id":"${'x'.repeat(length)}","method":"hide"}`),
      refusal('its id has more than 200 characters'),
    );
});

test('a method is a short string', () => {
  for (const method of ['null', '1', '["hide"]', '{"a":1}'])
    assert.throws(() => read(`{"id":1,"method":${method}}`), refusal('its method is no string'));
  assert.throws(() => read(`{"method":"${'x'.repeat(201)}"}`), refusal('its method has more than 200 characters'));
});

test('an answer is refused, because the kernel asks nothing', () => {
  for (const answer of ['{}', '{"id":1,"result":{}}', '{"id":null,"error":{"code":1,"message":"no"}}', '{"id":1}'])
    assert.throws(() => read(answer), refusal('its method is no string'));
});

test('positional parameters are few', () => {
  const message = (count: number): string => JSON.stringify({ method: 'hide', params: new Array(count).fill(1) });
  assert.deepEqual(read(message(10)), JSON.parse(message(10)));
  for (const count of [11, 100_000])
    assert.throws(() => read(message(count)), refusal('it has more than 10 positional parameters'));
});
