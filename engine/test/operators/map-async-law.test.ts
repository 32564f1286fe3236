// The law of mapAsync: order, time, capacity and every element are kept.
// It holds under any schedule of answers, snapshots and restores, and with a blocked downstream.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { start } from './answered-by-hand.ts';

type Act =
  | { readonly kind: 'element' | 'watermark' | 'snapshot' | 'restore' | 'block' | 'unblock' }
  | { readonly kind: 'answer'; readonly which: number };

test('under any schedule order, time and capacity are kept, and no element is lost or given twice', async () => {
  const plain = fc.constantFrom(
    'element',
    'element',
    'element',
    'watermark',
    'snapshot',
    'restore',
    'block',
    'unblock',
  );
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 2, arbitrary: plain.map((kind) => ({ kind })) },
    { weight: 2, arbitrary: fc.nat(9).map((which) => ({ kind: 'answer', which }) as const) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 40 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      async (acts, ordered, capacity) => {
        let run = start({ ordered, capacity });
        let isBlocked = false;
        const went: unknown[] = [];
        const inputs: (number | { readonly watermark: number })[] = [];
        let n = 0;
        const listen = async (): Promise<void> => {
          await new Promise((resolve) => setImmediate(resolve));
          run.h.hold(false);
          if (!isBlocked) went.push(...run.taken());
        };
        for (const one of acts) {
          switch (one.kind) {
            case 'element':
              inputs.push(++n);
              run.h.element(n, n);
              break;
            case 'watermark':
              inputs.push({ watermark: n });
              run.h.watermark(n);
              break;
            case 'answer': {
              const { open } = run.calls;
              if (open.length > 0) run.calls.answer(open[one.which % open.length]!.n);
              break;
            }
            case 'block':
            case 'unblock':
              isBlocked = one.kind === 'block';
              run.h.blockDownstream(isBlocked);
              break;
            case 'snapshot':
              if (!isBlocked) run.h.snapshot();
              break;
            case 'restore': {
              if (isBlocked) break;
              await listen();
              const snapshot = run.h.snapshot();
              went.push(...run.taken());
              assert.ok(run.calls.most <= capacity);
              run.h.close();
              run = start({ ordered, capacity }, snapshot);
              // A new reader gets the last watermark again.
              run.taken();
            }
          }
          await listen();
          assert.ok(run.calls.open.length <= capacity, 'too many calls');
        }
        if (isBlocked) run.h.blockDownstream(false);
        isBlocked = false;
        for (let rounds = 0; rounds < 200; rounds++) {
          await listen();
          const [first] = run.calls.open;
          if (!first) break;
          run.calls.answer(first.n);
        }
        run.h.close();
        assert.deepEqual(shape(went.map(fromResult), ordered), shape(inputs.map(fromInput), ordered));
      },
    ),
    { numRuns: 60 },
  );
});
const fromResult = (one: unknown): string => (typeof one === 'number' ? `|${one}` : String(one).slice(1));
const fromInput = (one: number | { readonly watermark: number }): string =>
  typeof one === 'number' ? String(one) : `|${one.watermark}`;
/**
 * Elements between two marks; sorted if the output is unordered. Consecutive marks count as one,
 * and an equal mark is ignored.
 */
function shape(items: readonly string[], ordered: boolean): string[] {
  const segments: string[][] = [[]];
  const marks: string[] = [''];
  for (const item of items) {
    if (!item.startsWith('|')) segments.at(-1)!.push(item);
    else if (segments.at(-1)!.length > 0 || segments.length === 1) {
      if (item === marks.at(-1)) continue;
      segments.push([]);
      marks.push(item);
    } else marks[marks.length - 1] = item;
  }
  return segments.map((segment, at) => `${marks[at]} ${(ordered ? segment : segment.toSorted()).join(' ')}`);
}
