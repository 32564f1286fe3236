// `--json`: one object per line on stdout and nothing else. A slow reader holds the stream back.
import type { Writable } from 'node:stream';
import type { JobMetrics } from '../../engine/api/surface.ts';
import { toPlainJson } from '../protocol/values.ts';
import { jsonText } from '../job/json-text.ts';

/** Characters that one write of rows collects. */
const mostCollected = 1_000_000;

export interface JsonError {
  readonly code: string;
  readonly message: string;
}

export class JsonLines {
  readonly #out: Writable;
  constructor(out: Writable) {
    this.#out = out;
  }

  /**
   * `stream` is set if the cell shows several streams. A row that JSON cannot hold is left out:
   * `leftOut` gets the reason.
   */
  rows(
    { cell, stream }: { readonly cell: string; readonly stream?: string },
    values: Iterable<unknown>,
    leftOut: (reason: string) => void,
  ): Promise<void> | undefined {
    let text = '';
    let room: Promise<void> | undefined;
    for (const value of values) {
      // A string has at most 512 MB, so large rows are not collected in one.
      if (text.length >= mostCollected) {
        room = this.#write(text) ?? room;
        text = '';
      }
      try {
        const row = toPlainJson(value) ?? null;
        text += `${jsonText({ cell, ...(stream !== undefined && { stream }), row })}\n`;
      } catch (error) {
        leftOut(`it has no JSON text: ${error instanceof Error ? error.message : String(error)}.`);
      }
    }
    return this.#write(text) ?? room;
  }
  error(cell: string | undefined, { code, message }: JsonError): void {
    void this.#write(`${jsonText({ ...(cell !== undefined && { cell }), error: { code, message } })}\n`);
  }
  metrics(metrics: JobMetrics): void {
    void this.#write(`${jsonText({ metrics })}\n`);
  }
  /** Resolves when all output has left this process. */
  async flushed(): Promise<void> {
    await this.#write('', true);
  }

  #write(text: string, wait = false): Promise<void> | undefined {
    if (text === '' && !wait) return undefined;
    let written = (): void => undefined;
    const done = new Promise<void>((resolve) => (written = resolve));
    // A reader that has closed the pipe (head) takes no more output. That is not an error.
    const isRoom = this.#out.write(text, () => written());
    return isRoom && !wait ? undefined : done;
  }
}
