// The call of kafka() or table() around a place in a cell: its topic and its connection. Nothing
// here needs VS Code.
export interface TopicCall {
  /** The text between the quotes, and where it is. It may be incomplete. */
  readonly topic: string;
  readonly start: number;
  readonly end: number;
  /** undefined: the default one. */
  readonly connection: string | undefined;
}

const topicCall = /\b(?:kafka|table)\s*(?:<[^()]*>)?\(\s*(['"`])([^'"`\n]*)/g;
const connectionOption = /\bconnection\s*:\s*(['"`])([^'"`\n]+)\1/;

/** All calls, in the order of the text. A comment counts too, because the user may be in it. */
export function topicCalls(text: string): readonly TopicCall[] {
  const found = [...text.matchAll(topicCall)];
  return found.map(({ 0: whole, 2: topic = '', index }, i): TopicCall => {
    const end = index + whole.length;
    const options = text.slice(end, found[i + 1]?.index ?? text.length);
    return { topic, start: end - topic.length, end, connection: connectionOption.exec(options)?.[2] };
  });
}

/** The call whose topic is being written at this place. */
export function topicCallAt(text: string, offset: number): TopicCall | undefined {
  return topicCalls(text).find(({ start, end }) => offset >= start && offset <= end);
}

/** The call that "this topic" means when the cursor is in these lines, or the only one. */
export function topicCallNear(text: string, from: number, to: number): TopicCall | undefined {
  const calls = topicCalls(text).filter(({ topic }) => topic !== '');
  const near = calls.filter(({ start, end }) => end >= from && start <= to);
  return near[0] ?? (calls.length === 1 ? calls[0] : undefined);
}
