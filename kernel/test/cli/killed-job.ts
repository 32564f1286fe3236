// The job of the kill tests: rolling counts, windows, a join and a pattern over generated events.
// Event time follows the number of the record, so the rows do not depend on the pace.

/**
 * Lets at most some 2,000 records a second through. After a restart `generate` makes at once what
 * was due meanwhile, so its rate does not pace a job that is killed.
 */
export const paced = '.mapAsync(async (event) => (await sleep(1), event), { capacity: 3 })';

/** The cell of the source. */
export const sourceCell = (
  records: number,
  { isPaced }: { readonly isPaced: boolean },
): string => `import { configure, count, generate, max, pattern, sum, tumbling } from 'sluice';
import { setTimeout as sleep } from 'node:timers/promises';
configure({ checkpoint: { interval: '300ms' } });
const events$ = generate(
  { rate: 50_000, limit: ${records}, timestamp: 'at' },
  ({ n, random }) => ({ n, at: n * 10, k: Math.floor(random() * 7), v: Math.floor(random() * 100) }),
)${isPaced ? paced : ''};
void sleep;
`;

/** The cells that show rows, by their ids. */
export const shownCells: Readonly<Record<string, string>> = {
  rolling: `const rolling$ = events$.keyBy('k').aggregate({ c: count(), s: sum('v'), m: max('v') });
rolling$.show();
`,
  windows: `events$.keyBy('k').window(tumbling('5s')).aggregate({ c: count(), s: sum('v') }).show();
`,
  joined: `const low$ = events$.filter((e) => e.v < 10).keyBy('k');
const high$ = events$.filter((e) => e.v >= 90).keyBy('k');
low$.intervalJoin(high$).between('-500ms', '500ms').select((l, h) => ({ l: l.n, h: h.n })).show();
`,
  matched: `type E = { n: number; v: number };
const rising = pattern<E>('a').where((e) => e.v < 20).followedBy('b').where((e) => e.v > 80).within('1s');
events$.keyBy('k').pattern(rising).select(({ a, b }) => ({ a: a![0]!.n, b: b![0]!.n })).show();
`,
};

/**
 * A killed thread starts again at once. Without a strategy, a session would stop the operator that
 * is at work for the third time.
 */
export const restartCell = "configure({ restart: { kind: 'fixed-delay', attempts: 1000, delay: '50ms' } });\n";

export const killedNotebook = (records: number, pace: { readonly isPaced: boolean }): string =>
  [['source', sourceCell(records, pace)], ['restart', restartCell], ...Object.entries(shownCells)]
    .map(([id, text]) => `// %% id=${id}\n${text}`)
    .join('\n') + 'export {};\n';

/** How often the thread of the cells has ended, as a job says. */
export const endsOfExecutor = (said: string): number => said.match(/The thread of the cells has ended/g)?.length ?? 0;

/** The seed of a kill test. SLUICE_SEED replays one. */
export const killSeed = (): number => Number(process.env['SLUICE_SEED'] ?? Date.now() % 1_000_000);
