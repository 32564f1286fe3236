// The language server, a process of its own. The types of a large notebook can take a second, and
// no other work may wait for them.
// Its protocol is `protocol/language.ts`. What an export says of a notebook comes from
// `kernel/export`.
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node.js';
import { LanguageNotebooks } from './cells/language-notebooks.ts';
import { EditorExport } from './export/editor-export.ts';

/** stdout carries the protocol, so log output goes to stderr. */
console.log = console.info = console.error;

const parameters = process.argv.slice(2);
const flag = parameters.indexOf('--lib');
const libFolder = flag < 0 ? undefined : parameters[flag + 1];

const connection: MessageConnection = createMessageConnection(
  new StreamMessageReader(process.stdin),
  new StreamMessageWriter(process.stdout),
);
new LanguageNotebooks(connection, { ...(libFolder === undefined ? {} : { libFolder }) }, new EditorExport());
connection.onClose(() => process.exit(0));
process.stdin.on('end', () => process.exit(0));
connection.listen();
