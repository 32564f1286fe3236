// A schema file and the files that it imports, as text in the plan: so a cell that runs again after
// a change of the file is a different one, and a restored session needs no file.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, parse } from 'node:path';
import protobuf from 'protobufjs';
import { SluiceError } from '../errors/error.ts';
import { nameInFile, withHeldNames } from './protobuf-names.ts';
import { longestSchema, mostReferences } from './limits.ts';
import type { SchemaText, SchemaType } from '../graph/format-spec.ts';

const byExtension: Readonly<Record<string, SchemaType>> = { '.avsc': 'AVRO', '.proto': 'PROTOBUF' };
const byFormat: Readonly<Record<string, SchemaType>> = { avro: 'AVRO', protobuf: 'PROTOBUF', 'json-schema': 'JSON' };

/** Files whose texts are at hand. undefined: it is not one of them, and may be on the disk. */
export type TextAtHand = (path: string) => string | undefined;

/**
 * `format` is that of the source; 'auto' follows the extension. Imports of a .proto file are looked
 * for in its folder and in those above it. `read` is told of each file that was read. Error:
 * `schema-file`.
 */
export function readSchemaFile(
  path: string,
  format: string,
  read: (path: string, text: string) => void = () => undefined,
  atHand: TextAtHand = () => undefined,
): SchemaText {
  const type = byFormat[format] ?? byExtension[extname(path).toLowerCase()];
  if (!type)
    throw new SluiceError(
      'schema-file',
      `The schema file ${path} is neither .avsc nor .proto. Give format: "avro", "protobuf" or "json-schema".`,
      { path },
    );
  const textOf = (file: string): string => {
    const found = atHand(file) ?? contentOf(file);
    read(file, found);
    return found;
  };
  const isThere = (file: string): boolean => atHand(file) !== undefined || existsSync(file);
  const text = textOf(path);
  return { type, text, references: type === 'PROTOBUF' ? importsOf(path, text, textOf, isThere) : [] };
}

function importsOf(
  path: string,
  text: string,
  textOf: (file: string) => string,
  isThere: (file: string) => boolean,
): SchemaText['references'] {
  const found = new Map<string, string>();
  const visit = (from: string): void => {
    for (const name of importedBy(path, from)) {
      const file = found.has(name) ? undefined : fileOf(dirname(path), name, isThere);
      if (file === undefined || file === path) continue;
      if (found.size >= mostReferences)
        throw new SluiceError('schema-file', `The schema file ${path} imports more than ${mostReferences} files.`, {
          path,
        });
      const content = textOf(file);
      found.set(name, content);
      visit(content);
    }
  };
  visit(text);
  return [...found].map(([name, content]) => ({ name, text: content })).reverse();
}
function importedBy(path: string, text: string): readonly string[] {
  try {
    const { imports, weakImports } = protobuf.parse(withHeldNames(text), new protobuf.Root());
    return [...(imports ?? []), ...(weakImports ?? [])].map(nameInFile);
  } catch (error) {
    throw new SluiceError('schema-file', `The schema file ${path} cannot be read: ${(error as Error).message}.`, {
      path,
    });
  }
}
/**
 * undefined: one that is known without a file, or one that is missing; its types are missed later.
 */
function fileOf(folder: string, name: string, isThere: (file: string) => boolean): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, name);
    if (isThere(file)) return file;
    if (at === parse(at).root || at === dirname(at)) return undefined;
  }
}

function contentOf(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > longestSchema)
      throw new SluiceError('schema-file', `The schema file ${path} has ${size} bytes; ${longestSchema} are allowed.`, {
        path,
      });
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('schema-file', `The schema file cannot be read: ${(error as Error).message}.`, { path });
  }
}
