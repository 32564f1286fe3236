// A running session in one line. Nothing here needs VS Code.
import type { RunningSession } from '../../kernel/client/sessions.ts';

/** "3 cells · since 11:58 · 84 MB" */
export function sessionText({ entry, welcome }: RunningSession, locale?: string): string {
  const since = `since ${new Date(entry.since).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })}`;
  if (welcome === undefined) return `${since} · does not answer`;
  const cells = welcome.state.cells.filter(({ phase }) => phase !== 'not-run').length;
  const { memoryBytes } = welcome;
  const memory = memoryBytes === undefined ? [] : [`${Math.round(memoryBytes / 1e6).toLocaleString(locale)} MB`];
  return [`${cells} ${cells === 1 ? 'cell' : 'cells'}`, since, ...memory].join(' · ');
}
