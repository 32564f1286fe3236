// One answer from several addresses of which some may be silent.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { firstAnswer } from '../../connectors/kafka/first-answer.ts';

class Final extends Error {}
class Telling extends Error {}
const errorKinds = {
  isLast: (error: unknown) => error instanceof Final,
  saysMore: (error: unknown) => error instanceof Telling,
};
const silent = new Promise<string>(() => undefined);

/** What each address does, and the addresses in the order in which they were asked. */
function script(answers: Readonly<Record<string, () => Promise<string>>>) {
  const asked: string[] = [];
  const ask = (address: string): Promise<string> => {
    asked.push(address);
    return answers[address]!();
  };
  return { asked, found: firstAnswer(Object.keys(answers), ask, errorKinds) };
}

test('the first address answers, and no other is asked', async () => {
  const { asked, found } = script({ a: () => Promise.resolve('a'), b: () => Promise.resolve('b') });
  assert.equal(await found, 'a');
  assert.deepEqual(asked, ['a']);
});

test('silent addresses hold up no other', async () => {
  const { asked, found } = script({ a: () => silent, b: () => silent, c: () => Promise.resolve('c'), d: () => silent });
  assert.equal(await found, 'c');
  assert.deepEqual(asked, ['a', 'b', 'c']);
});

test('a late answer of an earlier address counts', async () => {
  const late = Promise.withResolvers<string>();
  const { found } = script({
    a: () => late.promise,
    b: () => {
      late.resolve('a');
      return silent;
    },
  });
  assert.equal(await found, 'a');
});

test('when none answers, the error is that of the first address', async () => {
  const { asked, found } = script({
    a: () => new Promise((_, reject) => setTimeout(() => reject(new Error('a is silent')), 20)),
    b: () => Promise.reject(new Error('b refuses')),
    c: () => Promise.reject(new Error('c refuses')),
  });
  await assert.rejects(found, /^Error: a is silent$/);
  assert.deepEqual(asked, ['a', 'b', 'c']);
});

test('when none answers, an error that says more is the one', async () => {
  const { found } = script({
    a: () => Promise.reject(new Error('a refuses')),
    b: () => Promise.reject(new Telling('wrong password')),
  });
  await assert.rejects(found, /wrong password/);
});

test('a final error ends the question, also while others are silent', async () => {
  const { found } = script({ a: () => silent, b: () => Promise.reject(new Final('wrong version')), c: () => silent });
  await assert.rejects(found, /wrong version/);
});
