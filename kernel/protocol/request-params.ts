// Checks the parameters of a request where they enter the kernel, so that what stands behind can
// rely on the types of `messages.ts`. Unknown fields are ignored.
import type { Requests } from './messages.ts';

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string';
const integer: Check = (value) => Number.isSafeInteger(value);
const flag: Check = (value) => typeof value === 'boolean';
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const object =
  (fields: Fields): Check =>
  (value) =>
    wrongField(value, fields) === undefined;

const cell = object({ id: text, kind: oneOf('code', 'markdown', 'test'), text });

const params: { readonly [M in keyof Requests]: Fields } = {
  // A client of another protocol must get the error that names the way out, so little is checked.
  hello: { token: text, client: text },
  sync: { cells: listOf(cell) },
  run: { cells: listOf(text) },
  interrupt: { cell: optional(text) },
  delete: { cell: text },
  arm: { cell: text, armed: flag },
  show: { view: text, epoch: optional(text), lastSeq: optional(integer) },
  hide: { view: text },
  rows: { view: text, part: text },
  rename: { notebook: text },
  connections: { connections: object({}) },
  testConnection: { name: optional(text), definition: optional(object({})) },
  choose: {
    choice: oneOf('resume', 'fresh'),
    lastCall: optional(object({ cell: optional(text), operator: optional(text), duringRestore: optional(flag) })),
  },
  fromSavepoint: { savepoint: text },
  savepoint: { directory: text },
  giveUpSavepoint: {},
  // Older clients send no parameters.
  shutdown: {},
};

/** A sentence that names the wrong parameter, or undefined if all are as the protocol says. */
export function wrongParams(method: keyof Requests, value: unknown): string | undefined {
  const fields = params[method];
  if (Object.keys(fields).length === 0) return undefined;
  const wrong = wrongField(value, fields);
  if (wrong === undefined) return undefined;
  return wrong === '' ? `"${method}" has no parameters.` : `The parameter "${wrong}" of "${method}" has a wrong value.`;
}

/** The name of the first wrong field. '': it is no object. */
function wrongField(value: unknown, fields: Fields): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  return Object.entries(fields).find(([name, check]) => !check((value as Record<string, unknown>)[name]))?.[0];
}
