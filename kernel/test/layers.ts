// The layers of the project from the bottom up: one row per folder, with its allowed imports and
// the reason.
//
// A folder imports only folders with rows above its own, so that no two folders import each other.
// The public contract, engine/api/surface.ts, is a file of types; it counts as a folder of its own.

export interface Layer {
  readonly folder: string;
  /** Folders that its files may import, besides their own folder. */
  readonly imports: readonly string[];
  /** Where a thing belongs that would need another import. */
  readonly reason: string;
}

export const surface = 'engine/api/surface.ts';

export const layers: readonly Layer[] = [
  { folder: surface, imports: [], reason: 'The public contract says what users see; it knows no implementation.' },
  {
    folder: 'engine/errors',
    imports: [],
    reason: 'Every folder throws errors, so errors know no other folder. A message is made where it is thrown.',
  },
  {
    folder: 'engine/codegen',
    imports: [],
    reason: 'Code generation works on text alone. A generated loop belongs to its operator.',
  },
  {
    folder: 'engine/values',
    imports: ['engine/errors'],
    reason: 'Values are elements, keys and state as such. What depends on a key belongs in engine/state.',
  },
  {
    folder: 'engine/contract',
    imports: ['engine/errors', 'engine/values'],
    reason:
      'The contracts of operators and sources are what both sides agree on. An implementation belongs in the folder of its kind.',
  },
  {
    folder: 'engine/graph',
    imports: ['engine/errors'],
    reason: 'The plan is data. What runs a node belongs in engine/runtime, what builds one in engine/api.',
  },
  {
    folder: 'engine/state',
    imports: [surface, 'engine/codegen', 'engine/contract', 'engine/errors', 'engine/graph', 'engine/values'],
    reason: 'State knows keys and entries. A timer belongs in engine/time, a window in engine/windows.',
  },
  {
    folder: 'engine/time',
    imports: ['engine/codegen', 'engine/contract', 'engine/errors', 'engine/graph', 'engine/state', 'engine/values'],
    reason: 'Time knows watermarks and timers. What a timer fires belongs to its operator.',
  },
  {
    folder: 'engine/formats',
    imports: ['engine/codegen', 'engine/errors', 'engine/graph', 'engine/time', 'engine/values'],
    reason:
      'Formats turn bytes into values and back, and never wait. What reads or writes a topic belongs in engine/connectors.',
  },
  {
    folder: 'engine/connections',
    imports: ['engine/errors'],
    reason:
      'Connections are names, addresses and places of secrets. What speaks to a broker belongs in engine/connectors.',
  },
  {
    folder: 'engine/registry',
    imports: ['engine/connections', 'engine/errors', 'engine/formats', 'engine/graph'],
    reason: 'The registry is asked for schemas over the network. What a schema means belongs in engine/formats.',
  },
  {
    folder: 'engine/aggregates',
    imports: ['engine/codegen', 'engine/contract', 'engine/errors', 'engine/graph', 'engine/state', 'engine/values'],
    reason: 'Aggregates fold elements. When a result is emitted belongs in engine/windows or to a rolling operator.',
  },
  {
    folder: 'engine/windows',
    imports: [
      surface,
      'engine/aggregates',
      'engine/codegen',
      'engine/contract',
      'engine/errors',
      'engine/graph',
      'engine/state',
      'engine/time',
      'engine/values',
    ],
    reason: 'Window operators and what they are made of. What other operators share belongs in a layer below.',
  },
  {
    folder: 'engine/cep',
    imports: ['engine/graph', 'engine/time'],
    reason:
      'The automaton of patterns knows events and timers. The operator that drives it is engine/operators/pattern.ts.',
  },
  {
    folder: 'engine/tables',
    imports: [
      'engine/aggregates',
      'engine/contract',
      'engine/errors',
      'engine/graph',
      'engine/state',
      'engine/time',
      'engine/values',
    ],
    reason: 'Operators of tables. What streams need as well belongs in a layer below.',
  },
  {
    folder: 'engine/process',
    imports: [
      surface,
      'engine/contract',
      'engine/errors',
      'engine/graph',
      'engine/state',
      'engine/time',
      'engine/values',
    ],
    reason:
      'Process functions drive user code with state and timers. What windows share with them belongs in engine/state or engine/time.',
  },
  {
    folder: 'engine/operators',
    imports: [
      surface,
      'engine/cep',
      'engine/contract',
      'engine/errors',
      'engine/graph',
      'engine/state',
      'engine/time',
      'engine/values',
      'engine/windows',
    ],
    reason:
      'One operator per file. What two operators share belongs in a layer below; the table that makes them is in engine/runtime.',
  },
  {
    folder: 'engine/commits',
    imports: ['engine/contract', 'engine/errors', 'engine/values'],
    reason: 'What sinks with transactions share. What begins and commits one belongs in engine/connectors.',
  },
  {
    folder: 'engine/connectors',
    imports: [
      surface,
      'engine/codegen',
      'engine/commits',
      'engine/connections',
      'engine/contract',
      'engine/errors',
      'engine/formats',
      'engine/graph',
      'engine/registry',
      'engine/state',
      'engine/time',
      'engine/values',
    ],
    reason:
      'Connectors implement the contracts of sources and operators. They know no task; what schedules them belongs in engine/runtime.',
  },
  {
    folder: 'engine/api',
    imports: [
      surface,
      'engine/errors',
      'engine/formats',
      'engine/graph',
      'engine/state',
      'engine/time',
      'engine/values',
    ],
    reason: 'Builders make nodes of the plan and run nothing. What runs belongs behind a kind of engine/graph.',
  },
  {
    folder: 'engine/runtime',
    imports: [
      surface,
      'engine/aggregates',
      'engine/api',
      'engine/codegen',
      'engine/connectors',
      'engine/contract',
      'engine/errors',
      'engine/graph',
      'engine/operators',
      'engine/process',
      'engine/state',
      'engine/tables',
      'engine/time',
      'engine/values',
      'engine/windows',
    ],
    reason:
      'The runtime runs plans. A rule of one operator belongs to that operator; the test kit builds on the runtime, not the other way.',
  },
  {
    folder: 'engine/testing',
    imports: [
      surface,
      'engine/api',
      'engine/contract',
      'engine/errors',
      'engine/graph',
      'engine/runtime',
      'engine/state',
      'engine/time',
      'engine/values',
      'engine/windows',
    ],
    reason: 'The test kit drives the engine from outside. What production needs of it belongs in a layer below.',
  },
  {
    folder: 'engine',
    imports: [surface, 'engine/api', 'engine/errors', 'engine/runtime'],
    reason: 'engine/index.ts is the public surface of the package and nothing else.',
  },
  {
    folder: 'kernel/protocol',
    imports: [],
    reason:
      'The protocol is types and codecs that every client can load. Behaviour belongs to the kernel or to the client.',
  },
  {
    folder: 'kernel/client',
    imports: ['kernel/protocol'],
    reason:
      'A client finds or starts the kernel of a notebook and connects to it. What runs in the kernel process belongs elsewhere.',
  },
  {
    folder: 'kernel/topics',
    imports: ['engine/connectors', 'engine/errors', 'engine/formats', 'engine/graph', 'engine/registry'],
    reason:
      'The types of topics are found once and written to a file. What a cell does with them belongs in kernel/cells.',
  },
  {
    folder: 'kernel/browse',
    imports: [
      'engine/connections',
      'engine/connectors',
      'engine/errors',
      'engine/formats',
      'engine/graph',
      'engine/registry',
      'kernel/protocol',
      'kernel/topics',
    ],
    reason:
      'The browse service looks into clusters for an editor. It knows no session; what a notebook runs belongs elsewhere.',
  },
  {
    folder: 'kernel/cells',
    imports: ['engine/errors', 'engine/graph', 'engine/values', 'kernel/protocol'],
    reason: 'Cells are compiled and their dependencies found. What runs them belongs in kernel/executor.',
  },
  {
    folder: 'kernel/checkpoints',
    imports: ['engine/errors', 'engine/runtime', 'engine/state', 'engine/values'],
    reason:
      'The store keeps checkpoints on disk. What a checkpoint of a session holds, and when one is taken, belongs to the session.',
  },
  {
    folder: 'kernel/executor',
    imports: [
      'engine',
      'engine/api',
      'engine/connections',
      'engine/contract',
      'engine/errors',
      'engine/graph',
      'engine/runtime',
      'engine/state',
      'engine/tables',
      'engine/testing',
      'engine/time',
      'engine/values',
      'kernel/cells',
      'kernel/protocol',
    ],
    reason:
      'The executor thread evaluates cells and drives the runtime. It never talks to a client; that belongs in kernel/server.',
  },
  {
    folder: 'kernel/live',
    imports: ['engine/api', 'engine/graph', 'kernel/executor'],
    reason: 'The hot graph change plans and runs nothing. Session state belongs in kernel/session.',
  },
  {
    folder: 'kernel/session',
    imports: [
      surface,
      'engine/api',
      'engine/errors',
      'engine/graph',
      'engine/runtime',
      'engine/time',
      'kernel/cells',
      'kernel/executor',
      'kernel/live',
      'kernel/protocol',
    ],
    reason: 'The session is a pure function of state and event. An effect is performed in kernel/server.',
  },
  {
    folder: 'kernel/displays',
    imports: [
      surface,
      'engine/api',
      'engine/errors',
      'engine/graph',
      'engine/time',
      'kernel/executor',
      'kernel/live',
      'kernel/protocol',
      'kernel/session',
    ],
    reason: 'Displays turn rows into snapshots and deltas. How they are sent belongs in kernel/server.',
  },
  {
    folder: 'kernel/server',
    imports: [
      'engine/connections',
      'engine/connectors',
      'engine/errors',
      'engine/runtime',
      'kernel/cells',
      'kernel/checkpoints',
      'kernel/client',
      'kernel/displays',
      'kernel/executor',
      'kernel/live',
      'kernel/protocol',
      'kernel/session',
    ],
    reason: 'The server performs effects and speaks to clients. A decision belongs in kernel/session.',
  },
  {
    folder: 'kernel/job',
    imports: [
      surface,
      'engine/api',
      'engine/connections',
      'engine/connectors',
      'engine/errors',
      'engine/graph',
      'engine/registry',
      'engine/runtime',
      'kernel/cells',
      'kernel/checkpoints',
      'kernel/displays',
      'kernel/executor',
      'kernel/protocol',
      'kernel/server',
      'kernel/session',
    ],
    reason: 'A job runs without a client. What the command prints of it belongs in kernel/terminal.',
  },
  {
    folder: 'kernel/export',
    imports: [
      'engine/api',
      'engine/errors',
      'engine/formats',
      'engine/graph',
      'engine/values',
      'kernel/cells',
      'kernel/executor',
      'kernel/job',
      'kernel/live',
      'kernel/protocol',
      'kernel/server',
      'kernel/session',
    ],
    reason:
      'What becomes of a notebook as a job, and the files of that job. What runs in the job belongs in kernel/job.',
  },
  {
    folder: 'kernel/terminal',
    imports: [
      surface,
      'engine/connections',
      'engine/connectors',
      'engine/errors',
      'engine/graph',
      'engine/time',
      'kernel/cells',
      'kernel/client',
      'kernel/executor',
      'kernel/export',
      'kernel/job',
      'kernel/protocol',
      'kernel/server',
      'kernel/session',
      'kernel/topics',
    ],
    reason: 'The command `sluice` and what it draws. What other clients need as well belongs in kernel/server.',
  },
  {
    folder: 'kernel',
    imports: [
      'engine/connectors',
      'kernel/browse',
      'kernel/cells',
      'kernel/client',
      'kernel/executor',
      'kernel/export',
      'kernel/job',
      'kernel/protocol',
      'kernel/server',
      'kernel/terminal',
    ],
    reason:
      'The entry points of the bundles: the command, the kernel process, the language server and the exported job.',
  },
];

/**
 * The row that decides for a file. Folders inside a folder (engine/aggregates/kept) belong to it.
 */
export function layerOf(path: string): Layer | undefined {
  if (path === surface) return layers.find((layer) => layer.folder === surface);
  const folders = path.split('/').slice(0, -1);
  for (let length = folders.length; length > 0; length--) {
    const folder = folders.slice(0, length).join('/');
    const layer = layers.find((one) => one.folder === folder);
    // A folder without a row belongs to the folder that contains it, unless that is engine or
    // kernel.
    if (layer) return length === 1 && folders.length > 1 ? undefined : layer;
  }
  return undefined;
}
