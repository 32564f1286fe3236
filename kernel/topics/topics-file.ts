// The file .sluice/topics.d.ts: the types of topics, for completions and for `sluice check`. A
// topic is a member of one interface. Adding or replacing one leaves all other text as it is, so
// that types which the user wrote stay.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import ts from 'typescript';
import { SluiceError } from '../../engine/errors/error.ts';
import { docComment, fieldName, typeText } from './row-type.ts';
import type { TopicType } from './topic-type.ts';

const begin = `// Row types by topic. \`sluice types\` and "Type This Topic" add topics here and replace them.
export {};
declare module 'sluice' {
  interface Topics {
  }
}
`;
const indent = '    ';

/** The text with this topic. Topics are in the order of their names. Error: `topics-file`. */
export function withTopic(text: string | undefined, path: string, topic: string, { type, about }: TopicType): string {
  const source = text === undefined || text.trim() === '' ? begin : text;
  const { members, first, end } = topicsOf(source, path);
  const member = `${docComment(`${about}.`)}\n${indent}${fieldName(topic)}: ${typeText(type, indent)};`;
  const known = members.find(({ name }) => name === topic);
  if (known) return source.slice(0, known.start) + member + source.slice(known.end);
  const next = members.find(({ name, start }) => name > topic && start > first);
  if (next) return `${source.slice(0, next.start)}${member}\n${indent}${source.slice(next.start)}`;
  // Before the line of the closing brace.
  const before = source.slice(0, end).trimEnd();
  return `${before}\n${indent}${member}\n  ${source.slice(end)}`;
}

/** The names of the topics in the file; none if there is no file. Error: `topics-file`. */
export function topicsIn(path: string): readonly string[] {
  const text = textOf(path);
  return text === undefined || text.trim() === '' ? [] : topicsOf(text, path).members.map(({ name }) => name);
}

/** Writes all topics at once, or nothing. Returns false if the file is as it was. */
export function writeTopics(path: string, topics: ReadonlyMap<string, TopicType>): boolean {
  const before = textOf(path);
  let after = before;
  for (const [topic, type] of topics) after = withTopic(after, path, topic, type);
  if (after === undefined || after === before) return false;
  try {
    mkdirSync(dirname(path), { recursive: true });
    // A reader sees the former file or the new one.
    const part = `${path}.${process.pid}.part`;
    writeFileSync(part, after);
    renameSync(part, path);
  } catch (error) {
    throw new SluiceError('topics-file', `The file ${path} cannot be written: ${(error as Error).message}.`, { path });
  }
  return true;
}

function textOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SluiceError('topics-file', `The file ${path} cannot be read: ${(error as Error).message}.`, { path });
  }
}

interface Member {
  readonly name: string;
  /** With its doc comment. */
  readonly start: number;
  readonly end: number;
}

interface Topics {
  readonly members: readonly Member[];
  /** Where the last interface begins, and the place of the brace that closes it. */
  readonly first: number;
  readonly end: number;
}
function topicsOf(text: string, path: string): Topics {
  const file = ts.createSourceFile('topics.d.ts', text, ts.ScriptTarget.Latest, true);
  const { parseDiagnostics = [] } = file as { readonly parseDiagnostics?: readonly ts.Diagnostic[] };
  const modules = file.statements.filter(ts.isModuleDeclaration).filter(({ name }) => name.text === 'sluice');
  const topics = modules
    .flatMap(({ body }) => (body && ts.isModuleBlock(body) ? [...body.statements] : []))
    .filter(ts.isInterfaceDeclaration)
    .filter(({ name }) => name.text === 'Topics');
  const last = topics.at(-1);
  if (parseDiagnostics.length > 0 || !last)
    throw new SluiceError(
      'topics-file',
      `The file ${path} ${last ? 'has a syntax error' : 'has no interface Topics of the module sluice'}, so no topic is written to it. Correct it, or remove it to begin anew.`,
      { path },
    );
  const members = topics
    .flatMap((one) => [...one.members])
    .flatMap((member): Member[] => {
      const { name } = member;
      if (!name || !(ts.isIdentifier(name) || ts.isStringLiteral(name) || ts.isNumericLiteral(name))) return [];
      return [{ name: name.text, start: member.getStart(file, true), end: member.end }];
    });
  return { members, first: last.pos, end: last.end - 1 };
}
