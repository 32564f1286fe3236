// How a sink writes its rows or their keys as Avro, with a schema id of a registry.
//
//   Avro with a registry, schemas 'register'   the schema file is registered, if it is not there yet
//                         schemas 'use'        the schema file must be registered; without a file the
//                                              latest schema of the subject is used
//   Avro without one                           the schema file alone, and no schema id
//
// The registry is asked once, before the first row. `bytesOf` may be called when `isReady`.
import { SluiceError } from '../errors/error.ts';
import { wayToRegistry } from '../errors/way-to-set.ts';
import { parseAvro, type AvroType } from '../formats/avro-schema.ts';
import { writeAvro } from '../formats/avro-writer.ts';
import { ByteWriter } from '../formats/byte-writer.ts';
import { BadSchema, whyUnusable } from '../formats/limits.ts';
import { fetchLatest, lookUpSchema, registerSchema } from './registry-client.ts';
import { type RegistryConnection, registryNamed } from './registry-connection.ts';
import { RegistryAway, SchemaAbsent } from './registry-request.ts';
import { optionNames, type RecordPart } from '../formats/value-format.ts';
import { type AvroSpec, type SchemaText, typeNames } from '../graph/format-spec.ts';

export interface AvroSinkSpec extends AvroSpec {
  /** What is written. Default: the values. */
  readonly part?: RecordPart;
  readonly topic: string;
  readonly connection?: string | undefined;
}
export interface AvroSinkEvents {
  /** The format is ready, or `trouble` has changed. */
  onProgress(): void;
  onFailure(error: SluiceError): void;
}

const pauseMillis = { first: 250, longest: 10_000 };

export class AvroRowFormat {
  readonly #spec: AvroSinkSpec;
  readonly #events: AvroSinkEvents;
  readonly #writer = new ByteWriter();
  #type: AvroType | undefined;
  /** undefined: rows are written without one. */
  #id: number | undefined;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  /** Why the registry does not answer; undefined: nothing is wrong. */
  trouble: string | undefined;

  constructor(spec: AvroSinkSpec, events: AvroSinkEvents) {
    this.#spec = spec;
    this.#events = events;
    const connection = registryNamed(spec);
    const { schemaFile: schema } = spec;
    if (schema && schema.type !== 'AVRO')
      throw new SluiceError(
        'bad-schema',
        `The ${this.#option} of to() is ${typeNames[schema.type]}; ${this.#part}s are written as Avro.`,
      );
    if (connection) void this.#ask(connection, pauseMillis.first);
    else if (schema) this.#type = this.#parsed(schema);
    else
      throw new SluiceError(
        'registry-no-connection',
        `Avro ${this.#part}s for topic "${spec.topic}" need a schema of a registry: ${wayToRegistry()}, or give a ${this.#option}.`,
        { variable: 'SLUICE_REGISTRY' },
      );
  }

  get isReady(): boolean {
    return this.#type !== undefined;
  }
  /** Error: BadRow, whose message says which field does not fit. */
  bytesOf(row: unknown): Buffer {
    const writer = this.#writer;
    writer.begin();
    if (this.#id !== undefined) {
      writer.byte(0);
      writer.uint32BE(this.#id);
    }
    writeAvro(this.#type!, row, writer);
    return writer.taken();
  }
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  async #ask(connection: RegistryConnection, pause: number): Promise<void> {
    try {
      const { id, schema } = await this.#registered(connection);
      const type = this.#parsed(schema);
      this.trouble = undefined;
      this.#id = id;
      this.#type = type;
    } catch (error) {
      if (this.#isClosed) return;
      if (!(error instanceof RegistryAway)) return this.#events.onFailure(this.#failure(connection, error));
      this.trouble = `the schema registry ${connection.url} cannot be asked: ${error.message}`;
      const longer = Math.min(pause * 2, pauseMillis.longest);
      this.#retry = setTimeout(() => void this.#ask(connection, longer), pause);
    }
    if (!this.#isClosed) this.#events.onProgress();
  }
  async #registered(connection: RegistryConnection): Promise<{ readonly id: number; readonly schema: SchemaText }> {
    const { schemaFile: schema, schemas } = this.#spec;
    const subject = this.#subject;
    if (!schema) return fetchLatest(connection, subject);
    // A schema that cannot be used is not registered either.
    this.#parsed(schema);
    const id = await (schemas === 'register' ? registerSchema : lookUpSchema)(connection, subject, schema.text);
    return { id, schema };
  }
  get #part(): RecordPart {
    return this.#spec.part ?? 'value';
  }
  /** The option with the schema file. */
  get #option(): string {
    return optionNames[this.#part].file;
  }
  get #subject(): string {
    return `${this.#spec.topic}-${this.#part}`;
  }
  #parsed(schema: SchemaText): AvroType {
    if (schema.type !== 'AVRO')
      throw new SluiceError(
        'bad-schema',
        `The latest schema of subject "${this.#subject}" is ${typeNames[schema.type]}; ${this.#part}s are written as Avro. Give a ${this.#option}.`,
      );
    try {
      return parseAvro(schema);
    } catch (error) {
      throw new SluiceError(
        'bad-schema',
        `The schema for the ${this.#part}s of topic "${this.#spec.topic}" cannot be used: ${whyUnusable(error)}.`,
      );
    }
  }
  #failure({ url }: RegistryConnection, error: unknown): SluiceError {
    if (error instanceof SluiceError) return error;
    if (error instanceof SchemaAbsent)
      return new SluiceError(
        'registry-no-schema',
        this.#spec.schemaFile
          ? `The ${this.#option} is not registered under subject "${this.#subject}" of ${url}: ${error.message}. Register it, or give to() schemas: "register".`
          : `Subject "${this.#subject}" of ${url} has no schema: ${error.message}. Give a ${this.#option} and schemas: "register".`,
        { subject: this.#subject },
      );
    const cause = error instanceof BadSchema ? error.message : String(error);
    return new SluiceError(
      'registry-bad-answer',
      `The schema for the ${this.#part}s of topic "${this.#spec.topic}" cannot be used: ${cause}.`,
    );
  }
}
