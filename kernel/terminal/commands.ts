// The commands and their options. Commands and options of later versions are refused by name. No
// option is ignored.
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../engine/time/duration.ts';
import { type Target, targets } from '../export/exportability.ts';
import { build } from '../protocol/version.ts';
import { check } from './check.ts';
import { CommandError } from './command-error.ts';
import { listConnections, tryConnection } from './connections.ts';
import { exportNotebook } from './export.ts';
import { JsonLines } from './json-lines.ts';
import { lastWordsCommand, sayLastWords } from './last-words.ts';
import { parseParams, run } from './run.ts';
import { takeSavepoint } from './savepoint.ts';
import { serve } from './serve.ts';
import { linesText } from './terminal-text.ts';
import { types } from './types.ts';

interface RunFlags {
  readonly json?: boolean;
  readonly for?: number;
  readonly param?: readonly string[];
  readonly state?: string;
  readonly fromSavepoint?: string;
  readonly allowNonRestoredState?: boolean;
  readonly dry?: boolean;
  readonly memory?: number;
}

interface ServeFlags {
  readonly port: number;
  readonly memory?: number;
  readonly fresh?: boolean;
  readonly fromSavepoint?: string;
}

interface TypesFlags {
  readonly connection?: string;
  readonly registry?: string;
  readonly out?: string;
  readonly all?: boolean;
  readonly list?: boolean;
}

export async function main(argv: readonly string[]): Promise<void> {
  if (argv[2] === lastWordsCommand) return sayLastWords(argv[3]);
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());
  // A reader that closes the pipe (head) ends the command, as is usual.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

  const program = new Command('sluice').description('Streaming notebooks from the command line.').version(build);
  // Its errors repeat words of the command line, which may be names of files that others gave.
  program.configureOutput({ writeErr: (text) => process.stderr.write(linesText(text)) });
  program
    .command('run')
    .description('Run the notebook as a job until its sources end.')
    .argument('<notebook>')
    .option('--json', 'write one JSON object per line to stdout, and nothing else')
    .option('--for <duration>', 'end after this time: 10s, 5m', duration)
    .option('--param <name=value>', 'a parameter of the notebook', collect)
    .option('--state <dir>', 'write checkpoints to this folder, and go on from the last one that it has')
    .option('--from-savepoint <path>', 'start with the state of a savepoint; the notebook may have changed')
    .option('--allow-non-restored-state', 'leave out state of the savepoint that no operator takes')
    .option('--dry', 'sinks write nothing')
    .option('--memory <megabytes>', 'what the cells may hold together; a cell that needs more fails', megabytes)
    .action(async (notebook: string, flags: RunFlags) => {
      await ending(flags.json === true, () => {
        const params = parseParams(flags.param ?? []);
        limitMemory(flags.memory);
        const { json = false, dry = false, for: forMillis } = flags;
        const { state: directory, fromSavepoint: savepoint, allowNonRestoredState: mayLeaveOut = false } = flags;
        const state = { directory, savepoint, mayLeaveOut };
        return run(notebook, { json, dry, forMillis, params, state, out: process.stdout, stopped: stopped.signal });
      });
    });
  program
    .command('serve')
    .description('Show the live session of the notebook in this terminal and on a web page.')
    .argument('<notebook>')
    .option('--fresh', 'do not go on from the checkpoint of an earlier session; remove it')
    .addOption(
      new Option('--from-savepoint <path>', 'go on from a savepoint, instead of a checkpoint').conflicts('fresh'),
    )
    .option('--port <port>', 'port of the page on 127.0.0.1; 0: any free port', portNumber, 0)
    .option('--memory <megabytes>', 'what the cells may hold together; a cell that needs more fails', megabytes)
    .action(async (notebook: string, { port, memory, fresh = false, fromSavepoint: savepoint }: ServeFlags) => {
      await ending(false, () => {
        limitMemory(memory);
        return serve(notebook, { port, fresh, savepoint, out: process.stdout, stopped: stopped.signal });
      });
    });
  program
    .command('savepoint')
    .description('Write a savepoint of the running session of the notebook.')
    .argument('<notebook>')
    .argument('<directory>', 'a new folder in it becomes the savepoint')
    .action(async (notebook: string, directory: string) => {
      await ending(false, () => takeSavepoint(notebook, directory, { out: process.stdout, waits: process.stderr }));
    });
  program
    .command('check')
    .description('Check types and dataflow of the notebook without running it.')
    .argument('<notebook>')
    .addOption(
      targetOption('also report what keeps it from being a job of this kind; constants of the job are evaluated'),
    )
    .action(async (notebook: string, { target }: { readonly target?: Target }) => {
      await ending(false, () => check(notebook, process.stdout, target));
    });
  program
    .command('types')
    .description('Write the row types of topics to .sluice/topics.d.ts, from schemas or sampled records.')
    .argument('[topics...]', 'names of topics; without any, those that the file has')
    .option('--connection <name>', 'a connection of the environment; default: SLUICE_BROKERS')
    .option('--registry <name>', 'a schema registry of the environment; default: as in kafka()')
    .option('--out <file>', 'write another file')
    .option('--all', "all topics of the cluster, except Kafka's own")
    .option('--list', 'only print the names of the topics')
    .action(async (topics: readonly string[], flags: TypesFlags) => {
      await ending(false, () => {
        const { connection, registry, out: file, all = false, list = false } = flags;
        return types(topics, { connection, registry, file, all, list, out: process.stdout, errors: process.stderr });
      });
    });
  program
    .command('connections')
    .description('List the Kafka connections that a notebook can name here.')
    .action(async () => {
      await ending(false, () => listConnections(process.stdout));
    });
  program
    .command('test-connection')
    .description('Connect and log in to Kafka, and say which step fails. Nothing is written.')
    .argument('[name]', 'a connection; without it, the default one')
    .option('--json', 'write the report as one JSON object')
    .action(async (name: string | undefined, { json = false }: { readonly json?: boolean }) => {
      await ending(json, () => tryConnection(name, { json, out: process.stdout }));
    });
  program
    .command('export')
    .description('Export the notebook as a job: a folder that stands alone.')
    .argument('<notebook>')
    .addOption(targetOption('what runs the job').makeOptionMandatory())
    .requiredOption('--out <directory>', 'the folder to make; it must be empty or new')
    .action(async (notebook: string, { target, out: directory }: { readonly target: Target; readonly out: string }) => {
      await ending(false, () => exportNotebook(notebook, { target, directory, out: process.stdout }));
    });
  program
    .command('test')
    .description('Run the test cells of the notebook. (later)')
    .argument('<notebook>')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => {
      await ending(false, () => {
        throw notYet('sluice test');
      });
    });
  await program.parseAsync([...argv]);
}

/**
 * Prints one clear error and exits with a non-zero code. With `--json` the error is an object too.
 */
async function ending(json: boolean, command: () => number | Promise<number>): Promise<void> {
  let code = 1;
  try {
    code = await command();
  } catch (error) {
    const known = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    if (json) {
      const lines = new JsonLines(process.stdout);
      lines.error(undefined, { code: known ?? 'internal', message });
      await lines.flushed();
    } else {
      process.stderr.write(`${linesText(message)}\n`);
      if (known === undefined && error instanceof Error) process.stderr.write(`${linesText(error.stack ?? '')}\n`);
    }
  }
  process.exit(code);
}

/** The kernel reads the environment: the one in this process, and one that is started. */
function limitMemory(megabytes: number | undefined): void {
  if (megabytes !== undefined) process.env['SLUICE_MEMORY'] = String(megabytes);
}
function megabytes(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0)
    throw new InvalidArgumentError('Give a whole number of megabytes, like 2048.');
  return value;
}

function targetOption(description: string): Option {
  return new Option('--target <target>', description).choices(targets);
}
function notYet(what: string): CommandError {
  return new CommandError('not-yet', `not-yet: ${what} comes in a later version`);
}
function collect(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, text];
}
function duration(text: string): number {
  try {
    return parseDuration(text, '--for');
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}
