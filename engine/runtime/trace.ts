// The trace of a runtime: a line per event, by topic, for whoever looks for a defect in the engine
// itself.
//
//   SLUICE_TRACE=barriers,mutations,credit
//
// A topic that is off is undefined, so that `trace?.barriers?.(…)` makes no text. No topic has an
// event per record.

const traceTopics = ['barriers', 'mutations', 'credit'] as const;
export type TraceTopic = (typeof traceTopics)[number];
/** Each topic takes a line without a line end. */
export type Trace = { readonly [topic in TraceTopic]?: (line: string) => void };

/**
 * The topics that `names` lists with commas, for instance the value of SLUICE_TRACE; undefined when
 * it lists none. `write` gets lines like "barriers: 3 enters …". An unknown name is written once,
 * with the known ones.
 */
export function traceOf(names: string | undefined, write: (line: string) => void): Trace | undefined {
  const wanted = (names ?? '').split(',').flatMap((name) => name.trim() || []);
  if (wanted.length === 0) return undefined;
  const isTopic = (name: string): name is TraceTopic => traceTopics.some((topic) => topic === name);
  for (const name of wanted)
    if (!isTopic(name)) write(`SLUICE_TRACE has no topic "${name}"; the topics are ${traceTopics.join(', ')}.`);
  const topics = wanted.filter(isTopic).map((topic) => [topic, (line: string) => write(`${topic}: ${line}`)] as const);
  return Object.fromEntries(topics);
}
