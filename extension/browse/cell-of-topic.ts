// The text of a cell that reads a topic. Nothing here needs VS Code.
import { defaultName } from './connection-settings.ts';

/** `taken`: the names that the notebook has. `imports`: `kafka` is not imported yet. */
export function cellOfTopic(
  topic: string,
  connection: string,
  { taken, imports }: { readonly taken: ReadonlySet<string>; readonly imports: boolean },
): string {
  const name = variableFor(topic, taken);
  const options = connection === defaultName ? '' : `, { connection: ${quoted(connection)} }`;
  return [
    ...(imports ? ["import { kafka } from 'sluice';"] : []),
    `const ${name} = kafka(${quoted(topic)}${options});`,
    `${name};`,
  ].join('\n');
}

/** "orders-by-day.v1" → ordersByDayV1. A name that is taken gets a number. */
export function variableFor(topic: string, taken: ReadonlySet<string>): string {
  const parts = topic.split(/[^A-Za-z0-9]+/).filter((part) => part !== '');
  const joined = parts
    .map((part, i) => (i === 0 ? lowerFirst(part) : part.charAt(0).toUpperCase() + part.slice(1)))
    .join('');
  const isName = /^[A-Za-z]/.test(joined) && !reserved.has(joined);
  const name = isName ? joined : `topic${joined.charAt(0).toUpperCase()}${joined.slice(1)}`;
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : `${name}${n}`;
    if (!taken.has(free)) return free;
  }
}

/** Names that a cell cannot declare, or should not hide. */
const reserved: ReadonlySet<string> = new Set(
  `arguments await break case catch class configure const continue debugger default delete do else enum eval export
  extends false file finally for from function generate if implements import in instanceof interface kafka let new null
  package private protected public return static super switch table this throw true try typeof undefined var void
  while with yield`.split(/\s+/),
);

function lowerFirst(text: string): string {
  // An abbreviation stays one: "GPS" is gps, "OrderLines" orderLines.
  return text === text.toUpperCase() ? text.toLowerCase() : text.charAt(0).toLowerCase() + text.slice(1);
}
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** The names that cells declare, and whether one of them imports `kafka`. */
export function namesOf(cells: readonly string[]): { readonly taken: ReadonlySet<string>; readonly imports: boolean } {
  const text = cells.join('\n');
  const declared = text.matchAll(/\b(?:const|let|var|function|class|interface|type|enum)\s+([A-Za-z_$][\w$]*)/g);
  const imported = [...text.matchAll(/\bimport\s*\{([^}]*)\}\s*from\s*['"]sluice['"]/g)].flatMap(([, names]) =>
    names!.split(',').map((name) => name.trim()),
  );
  return { taken: new Set([...declared].map(([, name]) => name!)), imports: !imported.includes('kafka') };
}
