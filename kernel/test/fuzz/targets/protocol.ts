// Messages of a client: whatever one client sends, the next one gets its welcome. A line that is
// not a message is sent as it is; all others get the header of their length.
import type { Socket } from 'node:net';
import { type Outcome, planted, type Plant, type Target } from '../target.ts';
import { connected, type FuzzedSession, hello, openSession } from './fuzzed-session.ts';

const cells = [
  { id: 'a', kind: 'code', text: "import { from } from 'sluice';\nconst x = from([1]);\nx" },
  { id: 'm', kind: 'markdown', text: '# Title' },
  { id: 't', kind: 'test', text: 'x;' },
];
const requests: readonly (readonly [string, unknown])[] = [
  ['sync', { cells }],
  ['run', { cells: ['a'] }],
  ['show', { view: 'a', epoch: 'e', lastSeq: 3 }],
  ['rows', { view: 'a', part: '0' }],
  ['hide', { view: 'a' }],
  ['interrupt', { cell: 'a' }],
  ['interrupt', {}],
  ['arm', { cell: 'a', armed: true }],
  ['delete', { cell: 'm' }],
  ['rename', { notebook: 'b.sluice.ts' }],
];
const lastId = 987_654;
const longestSilence = 30;
const line = (method: string, params: unknown, id: number): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

export function protocolTarget(plant?: Plant): Target {
  const all = requests.map(([method, params], id) => line(method, params, id + 2));
  const seeds = [
    all.join('\n'),
    all.toReversed().join('\n'),
    ...requests.map(([method, params]) => line(method, params, 2)),
  ];
  return {
    seeds: [
      ...seeds,
      'Content-Length: 2\r\n\r\n{}',
      '[]\n{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":2}}',
    ].map((text) => Buffer.from(text)),
    words: [
      ...['"method":', '"params":', '"id":', '"cells":', '"cell":', '"view":', '"part":', '"text":', '"kind":"code"'],
      ...['Content-Length: ', 'Content-Length: 99999999999\r\n\r\n', 'Content-Type: x\r\n', '\r\n\r\n', '"$/setTrace"'],
      ...['"hello"', '"sync"', '"run"', '"result":', '"error":', ',{', '},'],
    ],
    async attempt(input) {
      planted(plant, input);
      // A new session for each input, so that one input shows the fault again.
      const session = await openSession(plant);
      try {
        return await outcome(session, input);
      } finally {
        await session.close();
      }
    },
  };

  async function outcome(session: FuzzedSession, input: Uint8Array): Promise<Outcome> {
    const socket = await connected(session.socket);
    const answers = await said(socket, Buffer.concat([framed(line('hello', hello, 1)), ...messages(input)]));
    await session.assertHealthy();
    return /"id":\d+,"error"/.test(answers) || !answers.includes(`"id":${lastId}`) ? 'rejected' : 'accepted';
  }
}

function messages(input: Uint8Array): Buffer[] {
  return Buffer.from(input)
    .toString('latin1')
    .split('\n')
    .map((text) => (text.startsWith('Content-') ? Buffer.from(`${text}\n`, 'latin1') : framed(text, 'latin1')));
}
function framed(text: string, encoding: BufferEncoding = 'utf8'): Buffer {
  const body = Buffer.from(text, encoding);
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

/**
 * Everything that comes back until a last request is answered or the session closes the connection.
 * Half a message is never answered, so the wait has an end.
 */
async function said(socket: Socket, bytes: Buffer): Promise<string> {
  const answers: Buffer[] = [];
  const over = Promise.withResolvers<void>();
  const wait = setTimeout(() => over.resolve(), longestSilence);
  socket.on('error', () => over.resolve());
  socket.on('close', () => over.resolve());
  socket.on('data', (chunk: Buffer) => {
    answers.push(chunk);
    wait.refresh();
    if (chunk.includes(`"id":${lastId}`)) over.resolve();
  });
  socket.write(Buffer.concat([bytes, framed(line('hide', { view: '' }, lastId))]));
  await over.promise;
  clearTimeout(wait);
  socket.destroy();
  return Buffer.concat(answers).toString();
}
