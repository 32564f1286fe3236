// The Kafka connections and the schema registries that a job needs. A job checks them when it
// starts, and claims its application id in the cluster of the first one, so each must be known.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import { valueNodes } from './evaluated-nodes.ts';
import { textsOfMember } from './literal-values.ts';

export interface Connections {
  /** By name; '' is the default one. */
  readonly names: readonly string[];
  /** Registries that a call names. */
  readonly registries: readonly string[];
  /** Some values may have the schema id of the default registry. */
  readonly usesRegistry: boolean;
  readonly problems: readonly ConnectionProblem[];
}
export interface ConnectionProblem {
  readonly call: ts.CallExpression;
  readonly code: 'connection-unknown';
  readonly message: string;
}

const verbs = new Set(['kafka', 'table', 'to']);
const ofRegistry = new Set(['avro', 'protobuf', 'json-schema', 'auto']);

/** `roots`: the statements that the job keeps, with those of modules. */
export function usedConnections(roots: Iterable<ts.Node>, typed: TypedModule): Connections {
  const names = new Set<string>();
  const registries = new Set<string>();
  const problems: ConnectionProblem[] = [];
  let usesRegistry = false;
  for (const root of roots)
    for (const node of valueNodes(root)) {
      const verb = ts.isCallExpression(node) ? verbOf(node, typed) : undefined;
      if (verb === undefined) continue;
      const call = node as ts.CallExpression;
      const textsOf = (option: string): ReturnType<typeof textsOfMember> =>
        textsOfMember(call.arguments[1], option, typed.checker);
      const collect = (option: string, found: Set<string>, absent: string | undefined): void => {
        const texts = textsOf(option);
        if (!texts) problems.push({ call, code: 'connection-unknown', message: unknown(option, verb) });
        for (const text of texts ?? []) if ((text ?? absent) !== undefined) found.add((text ?? absent)!);
      };
      collect('connection', names, '');
      collect('registry', registries, undefined);
      const byDefault = verb === 'to' ? 'json' : 'auto';
      const formats = [
        ...formatsWithoutFile(textsOf, 'format', 'schemaFile', byDefault),
        ...formatsWithoutFile(textsOf, 'keyFormat', 'keySchemaFile', 'string'),
      ];
      usesRegistry ||= formats.some((format) => ofRegistry.has(format));
    }
  return { names: [...names].sort(), registries: [...registries].sort(), usesRegistry, problems };
}

/** A sink with a file may have a registry too. */
function formatsWithoutFile(
  textsOf: (option: string) => ReturnType<typeof textsOfMember>,
  option: string,
  file: string,
  byDefault: string,
): readonly string[] {
  const hasFile = byDefault === 'auto' && textsOf(file)?.every((text) => text !== undefined) === true;
  return hasFile ? [] : (textsOf(option)?.map((text) => text ?? byDefault) ?? ['auto']);
}

/** Also behind another name of the function. */
export function verbOf(call: ts.CallExpression, typed: TypedModule): string | undefined {
  const verb = ourCallee(call, typed) ?? declaredName(call, typed);
  return verb !== undefined && verbs.has(verb) ? verb : undefined;
}
function declaredName(call: ts.CallExpression, { checker, isOurs }: TypedModule): string | undefined {
  const declaration = checker.getResolvedSignature(call)?.declaration;
  if (!declaration || !isOurs(declaration.getSourceFile().fileName)) return undefined;
  const { name } = declaration as ts.FunctionDeclaration;
  return name && ts.isIdentifier(name) ? name.text : undefined;
}

function unknown(option: string, verb: string): string {
  return `The ${option} of this ${verb}() is computed, so the job could not check it when it starts. Write its name as a text, or give it a type of the possible names: 'prod' | 'test'.`;
}
