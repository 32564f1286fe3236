// A view store whose time is moved by hand, and clients that apply the messages to a copy.
import type { DisplaySpec } from '../../../engine/api/fragment.ts';
import { ViewStore } from '../../displays/view-store.ts';
import type { DisplayRow } from '../../executor/display-rows.ts';
import type { DisplayInstall, ExecutorEvent } from '../../executor/executor-protocol.ts';
import type { Part, ViewDelta, ViewSnapshot } from '../../protocol/displays.ts';
import { ViewCopy } from '../../terminal/view-copy.ts';

export class Rig {
  now = 0;
  readonly #due: { readonly at: number; readonly callback: () => void }[] = [];
  readonly store = new ViewStore(
    (callback, millis) => void this.#due.push({ at: this.now + millis, callback }),
    () => this.now,
  );

  pass(millis: number): void {
    const end = this.now + millis;
    for (;;) {
      this.#due.sort((a, b) => a.at - b.at);
      const next = this.#due[0];
      if (!next || next.at > end) break;
      this.#due.shift();
      this.now = Math.max(this.now, next.at);
      next.callback();
    }
    this.now = end;
  }
  get isQuiet(): boolean {
    return this.#due.length === 0;
  }

  /** The cell shows these from now on. */
  shows(cell: string, parts: readonly DisplaySpec[], installed = 1, keep = false): void {
    this.store.prepare(cell, { displayed: { parts } }, installsOf(cell, parts, installed, keep));
    this.store.showPrepared();
  }
  rows(
    display: string,
    rows: readonly DisplayRow[],
    more: Partial<Extract<ExecutorEvent, { kind: 'display-rows' }>> = {},
  ): void {
    const total = rows.at(-1)?.n ?? 0;
    this.store.rows({
      ...{
        kind: 'display-rows',
        display,
        instance: display,
        installed: 1,
        rows,
        rate: 10,
        sampled: 1,
        total,
        finished: false,
      },
      ...more,
    });
  }
}

export function installsOf(
  cell: string,
  parts: readonly DisplaySpec[],
  installed: number,
  keep: boolean,
): readonly DisplayInstall[] {
  return parts.map((_, part) => ({
    display: `${cell}/${part}`,
    cell,
    part,
    instance: '',
    keep,
    installed,
  }));
}

export const aTable = {
  kind: 'table',
  from: { node: 'a/x/map#1', port: 'out' },
  rows: 3,
} as const satisfies DisplaySpec;
export const aChart: DisplaySpec = {
  kind: 'chart',
  from: { node: 'a/x/map#1', port: 'out' },
  mark: { x: 'at', y: 'v', last: '10s' },
};

export function row(n: number, value: unknown = { v: n }, timestamp = n * 1000): DisplayRow {
  return { n, timestamp, value };
}

/** A client: its received messages, and its copy. */
export class Client {
  isReady = true;
  readonly id: string;
  readonly messages: (ViewSnapshot | ViewDelta)[] = [];
  readonly #copy = new ViewCopy();
  #rig: Rig;

  constructor(rig: Rig, id = 'c1') {
    this.#rig = rig;
    this.id = id;
  }
  send(message: ViewSnapshot | ViewDelta): void {
    this.messages.push(message);
    this.#copy.apply(message);
  }
  /** As a client does that has seen something before. */
  hello(view: string): void {
    const last = this.messages.at(-1);
    this.#rig.store.hello(this, { view, ...(last && { epoch: last.epoch, lastSeq: last.seq }) });
  }
  hide(view: string): void {
    this.#rig.store.hide(this.id, view);
  }
  get parts(): readonly Part[] {
    return this.#copy.parts;
  }
  /** The numbers of the rows it shows in a part. */
  numbers(id = '0'): readonly number[] {
    const part = this.parts.find((candidate) => candidate.id === id);
    return part && 'rows' in part ? part.rows.map(({ n }) => n) : [];
  }
  types(): readonly string[] {
    return this.messages.map(({ type }) => type);
  }
}
