// `sluice connections`: the Kafka connections that a notebook can name here.
// `sluice test-connection`: tries one of them, and says which step failed and the way out.
import { connectionNamed, connectionNames, describeBrokers } from '../../engine/connections/connection-named.ts';
import type { Connection } from '../../engine/connections/connection.ts';
import { testConnection } from '../../engine/connectors/kafka/test-connection.ts';
import { paint } from './paint.ts';
import { jsonText } from '../job/json-text.ts';
import { lineText, linesText } from './terminal-text.ts';

/** Returns the exit code: 1 if one of them cannot be used. */
export function listConnections(out: NodeJS.WritableStream): number {
  const found: (readonly string[])[] = [];
  const wrong: string[] = [];
  const names = connectionNames();
  const hasDefault = Boolean(process.env['SLUICE_BROKERS']?.trim());
  for (const name of [...(hasDefault ? [undefined] : []), ...names])
    try {
      found.push(columnsOf(name, connectionNamed(name)));
    } catch (error) {
      wrong.push((error as Error).message);
    }
  if (found.length + wrong.length === 0) connectionNamed(undefined);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...found.map((row) => row[column]!.length)));
  for (const row of found)
    out.write(`${lineText(row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '))}\n`);
  for (const message of wrong) out.write(`${linesText(message)}\n`);
  return wrong.length > 0 ? 1 : 0;
}
function columnsOf(name: string | undefined, connection: Connection): readonly string[] {
  return [name ?? '(default)', describeBrokers(connection.brokers), securityOf(connection), connection.setIn];
}
function securityOf({ tls, sasl, registry }: Connection): string {
  const parts = [tls ? (tls.cert === undefined ? 'TLS' : 'TLS with a client certificate') : 'no TLS'];
  if (!sasl) parts.push('no log-in');
  else if (sasl.mechanism === 'oauthbearer') parts.push('OAUTHBEARER');
  else parts.push(`${sasl.mechanism.toUpperCase()} as ${sasl.username}`);
  if (registry) parts.push('registry');
  return parts.join(', ');
}

/** Without a name: the default one. Returns the exit code. */
export async function tryConnection(
  name: string | undefined,
  { json, out }: { readonly json: boolean; readonly out: NodeJS.WritableStream },
): Promise<number> {
  const report = await testConnection({ ...(name !== undefined && { name }) });
  if (json) out.write(`${jsonText(report)}\n`);
  else
    for (const { state, text, wayOut } of report.steps) {
      out.write(`${state === 'ok' ? paint.green('✔') : paint.red('✖')} ${linesText(text)}\n`);
      if (wayOut !== undefined) out.write(`  ${linesText(wayOut)}\n`);
    }
  return report.ok ? 0 : 1;
}
