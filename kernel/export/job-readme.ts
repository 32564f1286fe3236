// The README of an exported job: its graph, how to run it, its environment, its exit codes, and
// what stayed behind in the notebook.
import { type Variable, variablesOf } from '../job/configuration.ts';
import { exitCodes, exitMeanings } from '../job/exit-codes.ts';
import type { JobData } from '../job/job-data.ts';
import type { BuiltJob } from './build-job.ts';
import { allMetrics } from '../job/prometheus.ts';
import { dropReasons } from './drop-reasons.ts';
import type { Exportability } from './exportability.ts';

export function readmeText(data: JobData, exported: Exportability, packages: Packages): string {
  return `# ${data.name}

A streaming job, exported from \`${data.notebook}\` by Sluice ${data.build}. ${aloneText(packages)}

\`\`\`mermaid
${mermaidText(exported)}
\`\`\`

## Run it

    npm ci
    npm start

or

    docker build -t ${data.name} .
    docker run --stop-timeout 40 -v ${data.name}-state:/state --env-file .env ${data.name}

or \`kubectl apply -f kubernetes/\`. Copy \`.env.example\` to \`.env\` first, and fill in what has no value. For Kubernetes, fill in the ConfigMap of
\`kubernetes/job.yaml\`; secrets come from the Secret that it names.

## Environment

| variable | default | |
|---|---|---|
${variablesOf(data).map(variableRow).join('\n')}
| \`SLUICE_CONNECTIONS\` | | Kafka connections with TLS and log-in, as JSON or as the path of a file with it. |
${(data.params ?? []).map((name) => paramRow(name, data)).join('')}
Everything is checked when the job starts. Each variable that is missing or wrong has a line in the log.

## State

Each checkpoint is in \`SLUICE_STATE_DIR\`/\`SLUICE_APPLICATION_ID\`. A restart goes on from the last one, whatever \`SLUICE_START\` says. A stopped job has its
state there, so \`SLUICE_START=savepoint:PATH\` with that folder and another \`SLUICE_APPLICATION_ID\` starts another version of the job from it. The same
cells with other values of their constants need no other id: the new values hold, and the log names them. To reprocess everything from the beginning, set
another \`SLUICE_APPLICATION_ID\`.

\`SLUICE_START\` and a new id choose where topics without an end are read. A table reads its whole topic, a topic with \`until\` what the notebook
says, and other sources begin at their beginning. At its start without state, the job has a line in the log that names those of them that do not start
where \`SLUICE_START\` says.

One instance runs at a time. A second one on the same state folder is refused. With Kafka, so is a second one with the same application id and another
folder: a running job is the member of the group \`SLUICE_APPLICATION_ID.instance\`. With each checkpoint the job commits the offsets of its topics to the
group \`SLUICE_APPLICATION_ID\`, for monitors of lag and for \`SLUICE_START=committed\`. It needs the right READ on both groups.

## While it runs

The log is one JSON object a line on standard output: \`time\`, \`level\`, \`application\`, \`message\`, and \`cell\` and \`code\` where they are known.

| | |
|---|---|
| \`/health\` | 200: the job is alive. 503: only a new process helps |
| \`/ready\` | 200: all cells run, and every source has reached what it reads |
| \`/metrics\` | Prometheus, see below |

SIGTERM takes a last checkpoint, commits what it holds, and ends the job within \`SLUICE_GRACE_SECONDS\`.

| exit code | |
|---|---|
${Object.entries(exitCodes)
  .map(([name, code]) => `| ${code} | ${exitMeanings[name as keyof typeof exitCodes]} |`)
  .join('\n')}

## Metrics

The names are those of Flink's Prometheus reporter, and those of Kafka's clients and Kafka Streams as Micrometer writes them. Labels: \`operator_id\` and
\`processor_node_id\` are operators as the notebook names them, \`task_name\` and \`task_id\` their cells, \`client_id\` and \`job_name\` the application id;
\`topic\` or \`topic_name\`, and \`partition\`, name what is read and written. Counters begin at 0 with each process.

| metric | | |
|---|---|---|
${allMetrics.map(({ name, kind, help }) => `| \`${name}\` | ${kind} | ${help} |`).join('\n')}

## What stayed in the notebook

${droppedText(exported)}`;
}

type Packages = BuiltJob['packages'];

function aloneText({ dependencies, reasons }: Packages): string {
  const names = Object.keys(dependencies).sort();
  if (names.length === 0) return 'It stands alone: Node 24 runs it, and nothing is downloaded.';
  const lines = names.map((name) => `- \`${name}\` ${dependencies[name]}: ${reasons[name] ?? 'it cannot be bundled'}.`);
  return `Node 24 runs it. All of it is in \`job.cjs\` but these packages, which \`npm ci\` installs:

${lines.join('\n')}`;
}

function paramRow(name: string, { paramDefaults }: JobData): string {
  const { type, text = '' } = paramDefaults[name] ?? {};
  const isShown = text !== '' && !/[`|\r\n]/.test(text);
  const kind =
    type === undefined ? '' : `, ${{ string: 'a text', number: 'a number', boolean: 'true or false' }[type]}`;
  return `| \`SLUICE_PARAM_${name}\` | ${isShown ? `\`${text}\`` : 'as in the notebook'} | The parameter \`${name}\`${kind}. |\n`;
}
function variableRow({ name, byDefault, meaning }: Variable): string {
  return `| \`${name}\` | ${byDefault === '' ? '' : `\`${byDefault}\``} | ${meaning} |`;
}

function mermaidText({ graph }: Exportability): string {
  const quoted = (text: string): string => text.replace(/["\\<>&]/g, (character) => `#${character.charCodeAt(0)};`);
  const nodes = graph.map(({ id, name, verbs, kind }) => {
    const label = `"${quoted(name)}${verbs === '' ? '' : `<br/>${quoted(verbs)}`}"`;
    return `  ${id}${kind === 'sink' ? `[(${label})]` : `[${label}]`}`;
  });
  const edges = graph.flatMap(({ id, reads }) => reads.map((from) => `  ${from} --> ${id}`));
  return ['flowchart LR', ...nodes, ...edges].join('\n');
}

function droppedText({ drops }: Exportability): string {
  if (drops.length === 0) return 'Nothing: all of it runs here.\n';
  const lines = drops.map(
    ({ cell, line, text, reason }) =>
      `- cell \`${cell}\`, line ${line}: ${dropReasons[reason]}: \`${text.replaceAll('`', "'")}\`\n`,
  );
  return lines.join('');
}
