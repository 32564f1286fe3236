// The HTTP port of an exported job: /health, /ready and /metrics. It answers GET and HEAD, and
// changes nothing.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { SluiceError } from '../../engine/errors/error.ts';
import { messageOf } from '../../engine/errors/thrown.ts';
import type { Answer, JobStatus } from './job-status.ts';

export interface JobServer {
  readonly port: number;
  close(): void;
}

/** Port 0: any free one. Error: `http-port`. */
export async function serveJob(
  status: JobStatus,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<JobServer> {
  const server: Server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    const page = request.method === 'GET' || request.method === 'HEAD' ? pageOf(status, path) : undefined;
    const { code, type, text } = page ?? { code: 404, type: plain, text: 'There are /health, /ready and /metrics.\n' };
    response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : text);
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new SluiceError('http-port', `SLUICE_HTTP_PORT: ${host}:${port} cannot be used: ${messageOf(error)}.`, {
      port,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const plain = 'text/plain; charset=utf-8';
interface Page {
  readonly code: number;
  readonly type: string;
  readonly text: string;
}
function pageOf(status: JobStatus, path: string | undefined): Page | undefined {
  if (path === '/health') return answerPage(status.health());
  if (path === '/ready') return answerPage(status.ready());
  if (path !== '/metrics') return undefined;
  return { code: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: status.metrics() };
}
function answerPage({ isGood, reason }: Answer): Page {
  const text = `${JSON.stringify({ status: isGood ? 'up' : 'down', reason })}\n`;
  return { code: isGood ? 200 : 503, type: 'application/json', text };
}
