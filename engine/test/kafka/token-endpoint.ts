// An OAuth token endpoint on the loopback that gives the answer of the test.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.ts';

export interface TokenEndpoint {
  readonly url: string;
  answer: { readonly status: number; readonly body: unknown };
  readonly requests: { readonly authorization: string | undefined; readonly body: string }[];
  close(): void;
}

/** With a certificate for 127.0.0.1 it speaks TLS. */
export async function startTokenEndpoint(certificate?: Certificate): Promise<TokenEndpoint> {
  const requests: TokenEndpoint['requests'] = [];
  const answer: http.RequestListener = (request, response) => {
    let body = '';
    request.on('data', (text: Buffer) => (body += text.toString()));
    request.on('end', () => {
      requests.push({ authorization: request.headers.authorization, body });
      const { status, body: answer } = endpoint.answer;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  };
  const server = certificate ? https.createServer(certificate, answer) : http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint: TokenEndpoint = {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    answer: { status: 200, body: {} },
    requests,
    close: () => void server.close(),
  };
  return endpoint;
}
