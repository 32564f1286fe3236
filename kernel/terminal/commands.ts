// The commands and their options. Commands and options of later versions are refused by name. No
// option is ignored.
import { Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../engine/time/duration.ts';
import { build } from '../protocol/version.ts';
import { check } from './check.ts';
import { CommandError } from './command-error.ts';
import { JsonLines } from './json-lines.ts';
import { parseParams, run } from './run.ts';
import { serve } from './serve.ts';
import { linesText } from './terminal-text.ts';

interface RunFlags {
  readonly json?: boolean;
  readonly for?: number;
  readonly param?: readonly string[];
  readonly state?: string;
  readonly fromSavepoint?: string;
  readonly dry?: boolean;
}

export async function main(argv: readonly string[]): Promise<void> {
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());
  // A reader that closes the pipe (head) ends the command, as is usual.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

  const program = new Command('sluice').description('Streaming notebooks from the command line.').version(build);
  program
    .command('run')
    .description('Run the notebook as a job until its sources end.')
    .argument('<notebook>')
    .option('--json', 'write one JSON object per line to stdout, and nothing else')
    .option('--for <duration>', 'end after this time: 10s, 5m', duration)
    .option('--param <name=value>', 'a parameter of the notebook', collect)
    .option('--state <dir>', 'folder of the checkpoints')
    .option('--from-savepoint <path>', 'start from a savepoint')
    .option('--dry', 'sinks write nothing')
    .action(async (notebook: string, flags: RunFlags) => {
      await ending(flags.json === true, () => {
        if (flags.state !== undefined) throw notYet('--state');
        if (flags.fromSavepoint !== undefined) throw notYet('--from-savepoint');
        const params = parseParams(flags.param ?? []);
        const { json = false, dry = false, for: forMillis } = flags;
        return run(notebook, { json, dry, forMillis, params, out: process.stdout, stopped: stopped.signal });
      });
    });
  program
    .command('serve')
    .description('Show the live session of the notebook in this terminal and on a web page.')
    .argument('<notebook>')
    .option('--port <port>', 'port of the page on 127.0.0.1; 0: any free port', portNumber, 0)
    .action(async (notebook: string, { port }: { readonly port: number }) => {
      await ending(false, () => serve(notebook, { port, out: process.stdout, stopped: stopped.signal }));
    });
  program
    .command('check')
    .description('Check types and dataflow of the notebook without running it.')
    .argument('<notebook>')
    .action(async (notebook: string) => {
      await ending(false, () => check(notebook, process.stdout));
    });
  for (const [name, what] of [
    ['test', 'Run the test cells of the notebook.'],
    ['export', 'Export the notebook as a job.'],
  ] as const)
    program
      .command(name)
      .description(`${what} (later)`)
      .argument('<notebook>')
      .allowUnknownOption()
      .allowExcessArguments()
      .action(async () => {
        await ending(false, () => {
          throw notYet(`sluice ${name}`);
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
