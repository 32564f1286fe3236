// The schema files that the calls of a job name, with the files that they import. A job has their
// texts inside, so its folder stands alone.
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { messageOf } from '../../engine/errors/thrown.ts';
import { readSchemaFile } from '../../engine/formats/schema-file.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { verbOf } from './connections.ts';
import { valueNodes } from './evaluated-nodes.ts';
import { type Texts, textsOfMember } from './literal-values.ts';

export interface SchemaFiles {
  /** By path, relative to the notebook's folder unless the call names an absolute one. */
  readonly texts: Readonly<Record<string, string>>;
  readonly problems: readonly SchemaFileProblem[];
}
export interface SchemaFileProblem {
  readonly call: ts.CallExpression;
  readonly code: 'schema-file' | 'schema-file-unknown';
  readonly message: string;
  readonly severity?: 'warning';
}

const options = [
  { file: 'schemaFile', format: 'format' },
  { file: 'keySchemaFile', format: 'keyFormat' },
] as const;

/** `roots`: the statements that the job keeps, with those of modules. */
export function usedSchemaFiles(notebook: string, roots: Iterable<ts.Node>, typed: TypedModule): SchemaFiles {
  const texts = new Map<string, string>();
  const problems: SchemaFileProblem[] = [];
  const folder = dirname(notebook);
  const add = (call: ts.CallExpression, name: string, format: string): void => {
    try {
      readSchemaFile(resolve(folder, name), format, (path, text) =>
        texts.set(isAbsolute(name) ? path : relative(folder, path).replaceAll(sep, '/'), text),
      );
    } catch (error) {
      problems.push({ call, code: 'schema-file', message: messageOf(error) });
    }
  };
  for (const root of roots)
    for (const call of valueNodes(root)) {
      const verb = ts.isCallExpression(call) ? verbOf(call, typed) : undefined;
      if (verb === undefined || !ts.isCallExpression(call)) continue;
      const textsOf = (option: string): Texts => textsOfMember(call.arguments[1], option, typed.checker);
      for (const { file, format } of options) {
        const names = textsOf(file);
        const formats = textsOf(format) ?? [undefined];
        if (!names)
          problems.push({ call, code: 'schema-file-unknown', message: computed(file, verb), severity: 'warning' });
        for (const name of names ?? [])
          if (name !== undefined) for (const one of formats) add(call, name, one ?? 'auto');
      }
    }
  const sorted = [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
  return { texts: Object.fromEntries(sorted), problems };
}

function computed(option: string, verb: string): string {
  return `The ${option} of this ${verb}() is computed, so the job does not have the file inside: it reads it from SLUICE_DATA_DIR. Write its name as a text.`;
}
