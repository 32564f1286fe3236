// The rows of a sink as a display: what it would write, or writes. In a notebook only; a job shows
// nothing of its sinks.
import { type Builder, type Origin, toEndpoint } from './builder.ts';
import { messageOf } from '../errors/thrown.ts';
import { userFunction } from './parameters.ts';

const shownRows = 10;

/** `target` is that of the sink. */
export function showRows(builder: Builder, from: Origin, target: string): void {
  if (builder.settings.showsSinks !== true) return;
  builder.showSink(() => ({ kind: 'table', rows: shownRows, from: toEndpoint(from), title: `rows for ${target}` }));
}

/** Rows with a key: a table of key and value. `key` is the name of a field or a function. */
export function showKeyedRows(builder: Builder, from: Origin, target: string, key: unknown): void {
  if (builder.settings.showsSinks !== true) return;
  const keyOf = keyReader(key);
  const fn = userFunction('to()', 'fn', (row: unknown) => ({ key: keyOf(row), value: row }));
  const draft = builder.declare({
    ...{ verb: 'preview', kind: 'map', about: target },
    parameters: { fn },
    inputs: [{ from }],
  });
  showRows(builder, { draft, port: 'out' }, target);
}

/** The sink itself reports a key that cannot be read. Its preview goes on. */
function keyReader(key: unknown): (row: unknown) => unknown {
  if (typeof key === 'string') return (row) => (row as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  if (typeof key !== 'function') return () => null;
  return (row) => {
    try {
      return (key as (row: unknown) => unknown)(row);
    } catch (error) {
      return `(no key: ${messageOf(error)})`;
    }
  };
}
