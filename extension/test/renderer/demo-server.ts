// Serves the page's bundle with a scripted session behind its WebSocket, and the notebook renderer
// in a page that replaces VS Code's webview.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import type { PartChange, ViewHello } from '../../../kernel/protocol/displays.ts';
import { bundleRenderer } from '../../../.ci/build/bundle-renderer.ts';
import type { ScriptedView } from './scripted-session.ts';
import {
  closedCaption,
  demoState,
  demoViews,
  demoWelcome,
  operators,
  orderRows,
  seeded,
  windowRows,
} from './scripted-session.ts';
import { webviewPage } from './webview-page.ts';

export interface DemoServer {
  readonly address: string;
  /** Ends every connection, as a network failure does. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * The policy of the page: Vega compiles expressions, and everything else comes from this server.
 */
const policy =
  "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";
const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

export async function serveDemo(
  now: number,
  options: { readonly ticks: boolean } = { ticks: true },
): Promise<DemoServer> {
  const outDir = await mkdtemp(join(tmpdir(), 'sluice-renderer-'));
  await bundleRenderer(outDir);
  const files: Readonly<Record<string, string>> = {
    '/': 'page/index.html',
    '/page.js': 'page/page.js',
    '/page.css': 'page/page.css',
    '/renderer.js': 'renderer.js',
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = files[pathname];
    if (pathname === '/webview') {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(webviewPage);
    } else if (file === undefined) {
      response.writeHead(404).end();
    } else {
      readFile(join(outDir, file)).then(
        (bytes) =>
          response
            .setHeader('content-security-policy', policy)
            .setHeader('content-type', `${types[file.split('.').at(-1)!]!}; charset=utf-8`)
            .end(bytes),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    }
  });
  const sockets = new WebSocketServer({ server, path: '/session' });
  let connections = 0;
  const timers = new Set<ReturnType<typeof setInterval>>();
  sockets.on('connection', (socket) => {
    const views = demoViews(now);
    const epoch = `e${String(++connections)}`;
    for (const view of views.values()) view.epoch = epoch;
    const shown = new Set<string>();
    const notify = (method: string, params: unknown): void =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
    socket.on('message', (data: Buffer) => {
      const { id, method, params } = JSON.parse(data.toString()) as { id: number; method: string; params: unknown };
      const result =
        method === 'hello' ? demoWelcome(now - 3_600_000) : method === 'rows' ? { jsonl: '{"id":"o-1"}\n' } : null;
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
      if (method === 'show') {
        const hello = params as ViewHello;
        shown.add(hello.view);
        const answer = views.get(hello.view)?.answer(hello);
        if (answer !== undefined) notify('view', answer);
      }
      if (method === 'hide') shown.delete((params as { view: string }).view);
    });
    if (!options.ticks) return;
    const tick = ticker(views, now);
    const timer = setInterval(() => {
      for (const delta of tick()) if (shown.has(delta.view)) notify('view', delta);
      notify('state', demoState());
    }, 250);
    timers.add(timer);
    socket.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${String(port)}`,
    cut() {
      for (const client of sockets.clients) client.terminate();
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(outDir, { recursive: true });
    },
  };
}

/** The messages, four a second, of a session with 18 k records/s. */
function ticker(views: ReadonlyMap<string, ScriptedView>, now: number) {
  const random = seeded(23);
  const orders = orderRows(now);
  const windows = windowRows(now - 300_000);
  for (let window = 0; window < 30; window++) windows.next();
  let ticks = 0;
  let n = 100;
  return () => {
    ticks += 1;
    const at = now + ticks * 250;
    const fresh = Array.from({ length: 60 }, () => ({ ...orders.next().value, n: ++n }));
    const closes = ticks % 4 === 0;
    const rows: PartChange = {
      kind: 'rows',
      id: 'orders',
      rows: fresh,
      rate: 18_000 + random() * 500,
      sampled: 73,
      total: 1_204_118 + ticks * 4_560,
      caption: { pieces: ['2 errors in the last minute (orders.errors)'], waiting: false },
    };
    const totals: PartChange = {
      kind: 'rows',
      id: 'totals',
      rows: closes ? windows.next().value.map((row) => ({ ...row, partial: undefined })) : [],
      rate: 0.3,
      sampled: 1,
      total: 90 + ticks,
      caption: closedCaption(at - (at % 10_000), at),
    };
    const pressure: PartChange = {
      kind: 'backpressure',
      id: 'pressure',
      operators: operators().map((row) => ({ ...row, inPerSecond: Math.round(row.inPerSecond + random() * 300) })),
      points:
        ticks % 4 === 0
          ? { orders: 0.7 + random() * 0.1, clean: 0.4 + random() * 0.1, enrich: 0, key: 0, window: 0 }
          : {},
      thread: 0.95 + random() * 0.05,
    };
    return [
      views.get('orders')!.change(rows),
      views.get('totals')!.change(totals),
      views.get('pressure')!.change(pressure),
    ];
  };
}
