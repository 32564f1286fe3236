// Formats of records and their schemas, as part of the plan: plain JSON, so type aliases.

export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON';

/** The name of a schema type in messages. */
export const typeNames: Readonly<Record<SchemaType, string>> = {
  AVRO: 'Avro',
  PROTOBUF: 'Protobuf',
  JSON: 'JSON Schema',
};

/** A schema with the schemas that it refers to, as a registry or a schema file has it. */
export type SchemaText = {
  readonly type: SchemaType;
  readonly text: string;
  /**
   * In an order in which each schema refers only to schemas before it, as far as that is possible.
   */
  readonly references: readonly {
    /** Avro: full name of the type. Protobuf: path of the import. JSON Schema: URI. */
    readonly name: string;
    readonly text: string;
  }[];
};

export type FormatName = 'json' | 'string' | 'bytes' | 'avro' | 'protobuf' | 'json-schema';

/** How the values or the keys of a topic are read. */
export type FormatSpec = {
  /** 'auto': found from the first records. */
  readonly format: FormatName | 'auto';
  /** Records have this schema, and no schema id. */
  readonly schemaFile?: SchemaText;
  /** The Protobuf message in the file. */
  readonly message?: string;
  /** Name of the schema registry. */
  readonly registry?: string;
  /** Of JSON. Absent: bigint. */
  readonly integers?: Integers;
};

/** How a sink writes Avro. */
export type AvroSpec = {
  readonly schemaFile?: SchemaText;
  /** Whether the schema file is registered if it is not there yet. */
  readonly schemas: 'register' | 'use';
  /** Name of the schema registry. */
  readonly registry?: string;
};
/** What an integer that a double cannot hold becomes. */
export type Integers = 'bigint' | 'text' | 'number';
