// The language server as a process: the messages of an editor over its stdin and stdout.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node.js';
import type {
  LanguageNotifications,
  LanguageRequests,
  NotebookDiagnostics,
  NotebookUpdate,
} from '../../protocol/language.ts';

const notebook = join(tmpdir(), 'language-server.sluice.ts');
const entry = fileURLToPath(new URL('../../language-server.ts', import.meta.url));

function start(t: TestContext) {
  const child = spawn(process.execPath, [entry], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const received: NotebookDiagnostics[] = [];
  let arrived = Promise.withResolvers<void>();
  connection.onNotification('diagnostics', (diagnostics: NotebookDiagnostics) => {
    received.push(diagnostics);
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  connection.listen();
  t.onTestFinished(() => {
    connection.dispose();
    child.kill();
  });
  return {
    child,
    connection,
    received,
    next: () => arrived.promise,
    say: <M extends keyof LanguageNotifications>(method: M, parameters: LanguageNotifications[M]) =>
      connection.sendNotification(method, parameters),
    ask: <M extends keyof LanguageRequests>(
      method: M,
      parameters: LanguageRequests[M]['params'],
    ): Promise<LanguageRequests[M]['result']> => connection.sendRequest(method, parameters),
    async diagnostics(version: number): Promise<NotebookDiagnostics> {
      for (;;) {
        const found = received.find((diagnostics) => diagnostics.version === version);
        if (found) return found;
        await arrived.promise;
      }
    },
  };
}

const update = (version: number, cells: NotebookUpdate['cells']): NotebookUpdate => ({ notebook, version, cells });
const first = `import { from } from 'sluice';\r\nconst rows = from([{ n: 1 }]);`;

test('a notebook is opened, edited, asked about and closed', async (t) => {
  const server = start(t);
  await server.say(
    'open',
    update(1, [
      { key: 'k1', id: 'a', kind: 'code', text: first },
      { key: 'k2', id: 'prose', kind: 'markdown', text: 'const' },
      { key: 'k3', id: 'b', kind: 'code', text: '\nrows.map((r) => r.m)' },
    ]),
  );
  const opened = await server.diagnostics(1);
  assert.deepEqual(
    opened.cells.map(({ cell, diagnostics }) => [cell, diagnostics.length]),
    [
      ['k1', 0],
      ['k2', 0],
      ['k3', 1],
    ],
  );
  assert.deepEqual(opened.cells[2]!.diagnostics[0], {
    range: { start: { line: 1, character: 18 }, end: { line: 1, character: 19 } },
    code: 'ts2339',
    message: "Property 'm' does not exist on type '{ n: number; }'.",
    severity: 'warning',
  });

  // Unchanged texts are not sent again. The server takes each update at once and sends diagnostics
  // for the last one.
  await server.say(
    'update',
    update(2, [
      { key: 'k1', id: 'a', kind: 'code' },
      { key: 'k3', id: 'b', kind: 'code', text: 'rows.map((r) => r.)' },
    ]),
  );
  await server.say(
    'update',
    update(3, [
      { key: 'k3', id: 'b', kind: 'code', text: '\r\nrows.map((r) => r.n).ta' },
      { key: 'k1', id: 'a', kind: 'code' },
    ]),
  );
  const at = (line: number, character: number, cell = 'k3') => ({ notebook, cell, position: { line, character } });
  const list = await server.ask('completion', at(1, 23));
  const take = list.items.find(({ label }) => label === 'take');
  assert.deepEqual(take?.range, { start: { line: 1, character: 21 }, end: { line: 1, character: 23 } });
  const resolved = await server.ask('resolve', { ...at(1, 23), data: take.data });
  assert.match(resolved?.detail ?? '', /take\(n: number\): Stream<number>/);
  assert.match((await server.ask('hover', at(1, 2)))?.display ?? '', /const rows: Stream</);
  assert.deepEqual(await server.ask('definition', at(1, 2)), [
    { cell: 'k1', range: { start: { line: 1, character: 6 }, end: { line: 1, character: 10 } } },
  ]);
  const help = await server.ask('signature', at(1, 9));
  const [from, to] = help!.signatures[0]!.parameters[0]!.label;
  assert.match(help!.signatures[0]!.label.slice(from, to), /^f: /);
  await server.diagnostics(3);
  assert.deepEqual(
    server.received.map(({ version }) => version),
    [1, 3],
  );

  assert.deepEqual(await server.ask('hover', at(0, 0, 'gone')), null);
  await server.say('rename', { from: notebook, to: `${notebook}.moved.ts` });
  assert.equal(await server.ask('hover', at(1, 2)), null);
  const moved = await server.ask('hover', { ...at(1, 2), notebook: `${notebook}.moved.ts` });
  assert.match(moved?.display ?? '', /const rows/);
  await server.say('close', { notebook: `${notebook}.moved.ts` });
});

test('it ends when its editor goes', async (t) => {
  const { child, ask } = start(t);
  await ask('hover', { notebook, cell: 'k', position: { line: 0, character: 0 } });
  child.stdin.end();
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
});

test('with a target, what keeps a notebook with a sink from being a job is shown, and a preview in any case', async (t) => {
  const server = start(t);
  const source = "import { generate } from 'sluice';\nexport const rows = generate({ limit: 3 }, ({ n }) => ({ n }));";
  const out =
    'const limit = Date.now();\nconst seen: number[] = [];\nrows.show();\nrows.filter((r) => r.n < limit).sink((r) => void seen.push(r.n));';
  const cells = (text: string) => [
    { key: 'k1', id: 'a', kind: 'code' as const, text: source },
    { key: 'k2', id: 'out', kind: 'code' as const, text },
  ];
  const shown = async (version: number): Promise<readonly string[]> =>
    (await server.diagnostics(version)).cells.flatMap(({ diagnostics }) =>
      diagnostics.map(({ severity, code, range }) => `${range.start.line} ${severity} ${code}`),
    );
  await server.say('open', update(1, cells(out)));
  assert.deepEqual(await shown(1), []);
  const preview = (await server.ask('preview', { notebook, target: 'node' }))!;
  assert.deepEqual(
    preview.stays.map(({ cell, line, text, because }) => [cell, line, text, because]),
    [['out', 3, 'rows.show();', 'a display']],
  );
  assert.deepEqual(
    preview.problems.map(({ cell, line, severity }) => [cell, line, severity]),
    [
      ['out', 4, 'warning'],
      ['out', 4, 'error'],
    ],
  );
  assert.deepEqual(preview.captured, [
    { name: 'limit', cell: 'out', value: 'its value at the export' },
    { name: 'seen', cell: 'out', value: 'its value at the export' },
  ]);
  assert.deepEqual(preview.streams[0], { name: 'rows', verbs: 'generate', rows: 'row<n: double>' });

  await server.say('target', { target: 'node' });
  await server.say('update', update(2, cells(`${out} `)));
  assert.deepEqual(await shown(2), ['3 information captured-unsteady', '3 warning captured-mutation']);
  // Without a sink it is not meant to be a job.
  await server.say('update', update(3, cells('const limit = Date.now();\nrows.filter((r) => r.n < limit).show();')));
  assert.deepEqual(await shown(3), []);
});

test('what bundling and evaluating find is shown too, and at once while nothing about it changes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-language-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = {
    'package.json': '{"name":"words","version":"1.0.0","types":"index.d.ts"}',
    'index.js': "exports.words = require('node:fs').readFileSync(__dirname + '/words.txt', 'utf8');\n",
    'index.d.ts': 'export declare const words: string;\n',
    'words.txt': 'ann',
  };
  const inPackage = join(folder, 'node_modules/words');
  mkdirSync(inPackage, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(inPackage, name), text);
  const server = start(t);
  const own = join(folder, 'n.sluice.ts');
  const head =
    "import { from } from 'sluice';\nimport { words } from 'words';\nconst live = ((one: unknown): any => one)(new AbortController());\n";
  const say = (method: 'open' | 'update', version: number, text: string): Promise<void> =>
    server.say(method, { notebook: own, version, cells: [{ key: 'k1', id: 'a', kind: 'code', text: head + text }] });
  const of = (version: number): readonly string[] =>
    server.received
      .filter((one) => one.version === version)
      .map(({ cells }) =>
        cells[0]!.diagnostics
          .map(
            ({ range: { start, end }, severity, code }) =>
              `${start.line}:${start.character}-${end.character} ${severity} ${code}`,
          )
          .join(),
      );
  await server.say('target', { target: 'node' });
  await say('open', 1, 'from([1]).sink(() => void [words, live]);');
  while (of(1).length < 2) await server.next();
  const found = (column: number): string =>
    `1:22-29 warning not-bundled,3:${column}-${column + 4} warning captured-live`;
  assert.deepEqual(of(1), ['', found(34)]);
  const preview = (await server.ask('preview', { notebook: own, target: 'node' }))!;
  assert.match(
    preview.problems[1]!.message,
    /^This function captures live of cell "a", an instance of AbortController/,
  );
  assert.match(
    preview.problems[0]!.message,
    /^"words" cannot be bundled: words\/index\.js:1 looks for files beside itself/,
  );
  await say('update', 2, 'from([1, 2]).sink(() => void [words, live]);');
  await server.diagnostics(2);
  assert.deepEqual(of(2), [found(37)]);
});
