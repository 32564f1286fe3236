// The language server, a process of its own. The types of a large notebook can take a second, and
// no other work may wait for them.
// Its protocol is `protocol/language.ts`. What an export says of a notebook comes from
// `kernel/export`, which evaluates constants in a process of the same file.
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node.js';
import { LanguageNotebooks } from './cells/language-notebooks.ts';
import { evaluatesConstants } from './export/constants-role.ts';
import { EditorExport } from './export/editor-export.ts';
import { answerOrder, isEvaluating } from './export/steady-faults.ts';

if (!evaluatesConstants()) {
  if (isEvaluating()) answerOrder();
  else serve();
}

function serve(): void {
  /** stdout carries the protocol, so log output goes to stderr. */
  console.log = console.info = console.error;

  const parameters = process.argv.slice(2);
  const flag = parameters.indexOf('--lib');
  const libFolder = flag < 0 ? undefined : parameters[flag + 1];

  const connection: MessageConnection = createMessageConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  const options = libFolder === undefined ? {} : { libFolder };
  new LanguageNotebooks(connection, options, new EditorExport(import.meta.filename));
  connection.onClose(() => process.exit(0));
  process.stdin.on('end', () => process.exit(0));
  connection.listen();
}
