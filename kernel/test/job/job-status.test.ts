// What an exported job answers to /health and /ready, over HTTP.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'vitest';
import { serveJob } from '../../job/job-server.ts';
import { JobStatus } from '../../job/job-status.ts';
import { createSession, type Session } from '../../session/state.ts';

type Watched = Parameters<JobStatus['watch']>;
interface Answer {
  readonly code: number;
  readonly reason: string;
}

async function served(
  t: TestContext,
): Promise<{ status: JobStatus; is: (session: Session) => void; ask: (page: string) => Promise<Answer> }> {
  const status = new JobStatus('orders');
  const server = await serveJob(status, { port: 0, host: '127.0.0.1' });
  t.onTestFinished(() => server.close());
  return {
    status,
    is: (session) => status.watch({ session } as Watched[0], {} as Watched[1]),
    async ask(page) {
      const response = await fetch(`http://127.0.0.1:${server.port}/${page}`);
      const { reason } = (await response.json()) as { reason: string };
      return { code: response.status, reason };
    },
  };
}

test('a job is not ready while it starts, restarts and ends', async (t) => {
  const { status, is, ask } = await served(t);
  const session = createSession();
  assert.deepEqual(await ask('ready'), { code: 503, reason: 'The job is starting.' });
  is(session);
  assert.deepEqual(await ask('ready'), { code: 503, reason: 'The thread of the cells is starting.' });
  is({ ...session, executor: 'ready' });
  assert.deepEqual(await ask('ready'), { code: 503, reason: 'The cells are being evaluated.' });
  is({ ...session, executor: 'ready', restarts: { ...session.restarts, startsAt: 1 } });
  assert.deepEqual(await ask('ready'), { code: 503, reason: 'The job restarts from its last checkpoint.' });
  status.ending();
  assert.deepEqual(await ask('ready'), { code: 503, reason: 'The job is ending.' });
  assert.equal((await ask('health')).code, 200);
});

test('a job is alive until only a new process helps', async (t) => {
  const { is, ask } = await served(t);
  assert.equal((await ask('health')).code, 200);
  is({ ...createSession(), executor: 'broken', brokenBy: 'The checkpoint cannot be read.' });
  assert.deepEqual(await ask('health'), { code: 503, reason: 'The checkpoint cannot be read.' });
});
