// A schema as text, with the schemas that it refers to: as a registry or a schema file has it.

export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON';

/** A type alias, because it is part of the plan. */
export type SchemaText = {
  readonly type: SchemaType;
  readonly text: string;
  /** In an order in which each schema refers only to schemas before it, as far as that is possible. */
  readonly references: readonly {
    /** Avro: full name of the type. Protobuf: path of the import. JSON Schema: URI. */
    readonly name: string;
    readonly text: string;
  }[];
};

/** The name of a format in messages. */
export const typeNames: Readonly<Record<SchemaType, string>> = {
  AVRO: 'Avro',
  PROTOBUF: 'Protobuf',
  JSON: 'JSON Schema',
};
