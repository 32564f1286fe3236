// Performs the steps of a Dockerfile without a container: each stage is an empty folder, and
// absolute paths lie in it. The users of an image do not exist here, so USER and the owner of
// chown are the user of the test.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export interface Image {
  /** Where the command runs. */
  readonly workdir: string;
  /** A folder of the image on this machine. */
  readonly folder: (path: string) => string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
  readonly healthcheck: readonly string[];
  readonly command: readonly string[];
  readonly stopSignal: string;
  /** The instructions that were performed. */
  readonly steps: readonly string[];
}

interface Stage {
  readonly root: string;
  readonly environment: Record<string, string>;
  workdir: string;
}

/** `context`: the folder of the job. `root`: an empty folder. Throws at a step that fails. */
export function performSteps(text: string, context: string, root: string): Image {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  const image = { user: 'root', volumes: [] as string[], ports: [] as string[], stopSignal: 'SIGTERM' };
  let healthcheck: readonly string[] = [];
  let command: readonly string[] = [];
  const steps: string[] = [];
  const inside = (path: string): string => join(stage!.root, resolve(stage!.workdir, path));
  for (const [instruction, rest] of instructionsOf(text)) {
    steps.push(instruction);
    if (instruction !== 'FROM' && !stage) throw new Error(`${instruction} comes before FROM.`);
    switch (instruction) {
      case 'FROM': {
        const [, base, name = 'last'] = /^(\S+)(?: AS (\S+))?$/i.exec(rest) ?? [];
        if (!base?.startsWith('node:')) throw new Error(`The base ${base} has no Node.`);
        stage = { root: join(root, name), environment: {}, workdir: '/' };
        stages.set(name, stage);
        mkdirSync(stage.root, { recursive: true });
        break;
      }
      case 'ENV':
        for (const pair of rest.split(' ')) {
          const [name, value] = pair.split('=', 2);
          stage!.environment[name!] = value!;
        }
        break;
      case 'WORKDIR':
        stage!.workdir = resolve(stage!.workdir, rest);
        mkdirSync(inside('.'), { recursive: true });
        break;
      case 'COPY': {
        const words = rest.split(' ');
        const from = /^--from=(.+)$/.exec(words[0]!)?.[1];
        if (from !== undefined) words.shift();
        const to = words.pop()!;
        const source = from === undefined ? context : stages.get(from)!.root;
        for (const word of words) {
          if (!existsSync(join(source, word))) throw new Error(`COPY: ${word} is not there.`);
          const target = from === undefined || to.endsWith('/') ? join(inside(to), basename(word)) : inside(to);
          cpSync(join(source, word), target, { recursive: true });
        }
        break;
      }
      case 'RUN': {
        const local = rest
          .replaceAll(/(?<=\s)\/(\w+)/g, (_, path: string) => inside(`/${path}`))
          .replaceAll(/chown \S+/g, () => `chown ${process.getuid!()}:${process.getgid!()}`);
        const env = { PATH: process.env['PATH'], HOME: stage!.root, npm_config_offline: 'true', ...stage!.environment };
        execFileSync('sh', ['-ec', local], { cwd: inside('.'), env, stdio: 'pipe' });
        break;
      }
      case 'USER':
        image.user = rest;
        break;
      case 'VOLUME':
        image.volumes.push(rest);
        break;
      case 'EXPOSE':
        image.ports.push(rest);
        break;
      case 'STOPSIGNAL':
        image.stopSignal = rest;
        break;
      case 'HEALTHCHECK':
        healthcheck = JSON.parse(/ CMD (\[.*\])$/.exec(rest)![1]!) as string[];
        break;
      case 'CMD':
        command = JSON.parse(rest) as string[];
        break;
      default:
        throw new Error(`The instruction ${instruction} is not known here.`);
    }
  }
  const { environment } = stage!;
  return { ...image, workdir: inside('.'), folder: inside, environment, healthcheck, command, steps };
}

function instructionsOf(text: string): (readonly [string, string])[] {
  const lines = text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, instruction, rest] = /^([A-Z]+) (.*)$/.exec(line)!;
    return [instruction!, rest!] as const;
  });
}
