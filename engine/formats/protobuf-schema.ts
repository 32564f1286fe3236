// A .proto file with its imports as message types. protobufjs parses the files; it generates no
// code, because only its description of the types is used.
//
// Names of fields stay as the file has them. The types of google/protobuf/*.proto and Confluent's
// decimal are known without a reference. An import of which nothing is used may be missing.
import protobuf from 'protobufjs';
import { BadSchema, checkLength } from './limits.ts';
import { nameInFile, withHeldNames } from './protobuf-names.ts';
import type { SchemaText } from '../graph/format-spec.ts';

/** Options of a custom kind extend these. Their meaning does not matter here. */
const optionTypes = ['File', 'Message', 'Field', 'Oneof', 'Enum', 'EnumValue', 'ExtensionRange', 'Service', 'Method'];
const confluentDecimal = `syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }`;

export interface ProtobufSchema {
  /** The message type at a path of indices, as the wire format has it. Errors: BadSchema. */
  at(path: readonly number[]): protobuf.Type;
  /** The message type with a name, with or without the package. Errors: BadSchema. */
  named(name: string): protobuf.Type;
}

/** Errors: BadSchema, and errors of protobufjs. */
export function parseProtobuf(schema: SchemaText): ProtobufSchema {
  const texts = [...schema.references.map(({ text }) => text), schema.text];
  checkSize(texts);
  // The file alone: the order of its messages decides the meaning of an index.
  const alone = new protobuf.Root();
  const { package: declared } = parseInto(alone, schema.text);
  const packageName = declared ?? '';
  const root = new protobuf.Root();
  root.addJSON({
    google: {
      nested: {
        protobuf: { nested: Object.fromEntries(optionTypes.map((name) => [`${name}Options`, { fields: {} }])) },
      },
    },
  });
  const given = new Set(schema.references.map(({ name }) => name));
  const imported = new Set<string>();
  for (const text of texts)
    for (const name of importsOf(parseInto(root, text))) {
      if (given.has(name) || imported.has(name)) continue;
      imported.add(name);
      addKnown(root, name);
    }
  root.resolveAll();
  const space = packageName === '' ? alone : alone.lookup(packageName);
  const top = space instanceof protobuf.Namespace ? messagesOf(space) : [];
  const typeOf = (name: string): protobuf.Type => root.lookupType(name);
  return {
    at(path) {
      let types = top;
      let found: protobuf.Type | undefined;
      for (const index of path) {
        found = types[index];
        if (!found) throw new BadSchema(`it has no message [${path.join(', ')}]`);
        types = messagesOf(found);
      }
      if (!found) throw new BadSchema('it has no messages');
      return typeOf(found.fullName);
    },
    named(name) {
      const full = name.startsWith('.') ? name.slice(1) : name;
      const found = top
        .flatMap(withNested)
        .find(({ fullName }) => isNamed(nameInFile(fullName.slice(1)), full, nameInFile(packageName)));
      if (!found) {
        const names = top.flatMap(withNested).map(({ fullName }) => nameInFile(fullName.slice(1)));
        throw new BadSchema(`it has no message "${name}". It has "${names.slice(0, 20).join('", "')}"`);
      }
      return typeOf(found.fullName);
    },
  };
}

function isNamed(fullName: string, name: string, packageName: string): boolean {
  return fullName === name || (packageName !== '' && fullName === `${packageName}.${name}`);
}

/**
 * Looked at before a file is parsed, because protobufjs needs a second for 4,000 fields of a
 * message.
 */
const mostDeclarations = { file: 4_000, all: 20_000 };
function declarationsOf(text: string): number {
  let count = 0;
  for (let at = text.indexOf(';'); at >= 0; at = text.indexOf(';', at + 1)) count++;
  return count;
}
function checkSize(texts: readonly string[]): void {
  let all = 0;
  for (const text of texts) {
    checkLength(text);
    const count = declarationsOf(text);
    all += count;
    if (count > mostDeclarations.file || all > mostDeclarations.all)
      throw new BadSchema(
        `it has more than ${mostDeclarations.file.toLocaleString('en-US')} declarations in a file, or ${mostDeclarations.all.toLocaleString('en-US')} in all`,
      );
  }
}

function parseInto(root: protobuf.Root, text: string): protobuf.IParserResult {
  return protobuf.parse(withHeldNames(text), root, { keepCase: true });
}
function importsOf({ imports, weakImports }: protobuf.IParserResult): readonly string[] {
  return [...(imports ?? []), ...(weakImports ?? [])].map(nameInFile);
}
function addKnown(root: protobuf.Root, name: string): void {
  const known = protobuf.common.get(name);
  if (known?.nested) root.addJSON(known.nested);
  else if (name === 'confluent/type/decimal.proto') parseInto(root, confluentDecimal);
}

function messagesOf(space: protobuf.NamespaceBase): protobuf.Type[] {
  return space.nestedArray.filter((one): one is protobuf.Type => one instanceof protobuf.Type);
}
function withNested(type: protobuf.Type): protobuf.Type[] {
  return [type, ...messagesOf(type).flatMap(withNested)];
}
