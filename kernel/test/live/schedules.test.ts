// Whatever is run, edited and deleted in whatever order: over sources that can be read again each cell ends with the rows of its current text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, multiset, runAll, shown, texts } from './file-notebook.ts';
import { LiveSession } from './live-session.ts';
import { seeded } from './seeded.ts';

for (const seed of [1, 2, 3, 4, 5, 6])
  test(
    `schedule ${seed}: random runs, edits and deletions end with the rows of the texts at hand`,
    { timeout: 60_000 },
    async () => {
      const { next: random, pick } = seeded(seed);
      await using session = new LiveSession({ files, lossless: true });
      const choice: Record<string, number> = Object.fromEntries(Object.keys(texts).map((id) => [id, 0]));
      for (const id of Object.keys(texts)) session.edit(id, texts[id]![0]!);
      const steps: string[] = [];
      for (let step = 0; step < 12; step++) {
        const id = pick(Object.keys(texts));
        const dice = random();
        if (dice < 0.5) {
          choice[id] = Math.floor(random() * texts[id]!.length);
          session.edit(id, texts[id]![choice[id]]!);
          steps.push(`edit ${id}=${choice[id]}`);
          await session.run(id);
        } else if (dice < 0.8) {
          steps.push(`run ${id}`);
          await session.run(id);
        } else if (dice < 0.9) {
          steps.push(`delete ${id} and bring it back`);
          session.delete(id);
          session.edit(id, texts[id]![choice[id]!]!);
        } else {
          steps.push('pause');
          await new Promise((resolve) => setTimeout(resolve, random() * 300));
        }
      }
      // Whatever is edited or stale by now is run, until nothing is.
      await session.ran(...Object.keys(texts));
      await session.finished();
      const expected = await runAll(choice);
      for (const id of shown) {
        assert.ok(expected[id]!.length > 10, `${id} has rows to compare`);
        assert.deepEqual(multiset(session.everyRow(id)), expected[id], `${id} after ${steps.join(', ')}`);
      }
    },
  );
