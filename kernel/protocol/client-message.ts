// A message of a client is one request or notification of JSON-RPC. Every other message is refused
// here, before vscode-jsonrpc gets it. The library writes a message that it does not know as
// indented JSON. The length of that text grows with the square of the depth, and a deep value
// overflows the stack.
//
// The kernel asks its clients nothing, so an answer is refused too. A batch is refused because the
// library does not know batches. The depth is checked before the text is parsed. No error contains
// what the client sent, except for the parser's short excerpt.

export interface ClientMessage {
  readonly jsonrpc: string;
  readonly method: string;
  /** A notification has none. */
  readonly id?: number | string;
  readonly params?: unknown;
}
type Unchecked = { readonly [P in keyof ClientMessage]?: unknown };

/** The protocol needs four levels. Fields that are unknown today may need more. */
const deepest = 32;
/** Characters of an id or a method. An answer repeats them. */
const longestName = 200;
/** Parameters are named. vscode-jsonrpc writes `null` as a list with one item. */
const mostPositional = 10;

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const whitespace: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Throws with a sentence if the bytes are no message of a client. */
export function clientMessage(body: Uint8Array): ClientMessage {
  refuseShape(body);
  const message = JSON.parse(decoder.decode(body)) as ClientMessage;
  const wrong = wrongPart(message);
  if (wrong !== undefined) throw new Error(`A message is no request and no notification: ${wrong}.`);
  return message;
}

/** Looks at the brackets outside of strings only. The parser finds every other mistake. */
function refuseShape(body: Uint8Array): void {
  let at = 0;
  while (whitespace.has(body[at])) at++;
  if (body[at] !== openBrace) throw new Error('A message is no JSON object.');
  let depth = 0;
  for (; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) at = endOfString(body, at);
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > deepest) throw new Error(`A message is nested more than ${deepest} levels deep.`);
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
}

/** The place of the closing quote. Without one, the end of the bytes. */
function endOfString(body: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== quote) at += body[at] === backslash ? 2 : 1;
  return at;
}

function wrongPart({ method, id, params }: Unchecked): string | undefined {
  if (typeof method !== 'string') return 'its method is no string';
  if (method.length > longestName) return `its method has more than ${longestName} characters`;
  if (typeof id === 'string' && id.length > longestName) return `its id has more than ${longestName} characters`;
  if (id !== undefined && typeof id !== 'string' && !Number.isFinite(id)) return 'its id is no string and no number';
  if (Array.isArray(params) && params.length > mostPositional)
    return `it has more than ${mostPositional} positional parameters`;
  return undefined;
}
