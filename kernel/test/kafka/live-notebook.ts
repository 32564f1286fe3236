// A notebook in a real kernel, with what its user sees of each cell.
import assert from 'node:assert/strict';
import type { TestContext } from 'vitest';
import { connectSession, type Connection } from '../../client/connect.ts';
import type { ConnectionDefinitions } from '../../protocol/connections.ts';
import type { ErrorPart } from '../../protocol/displays.ts';
import type { CellState, SessionView } from '../../protocol/messages.ts';
import { code, kernelPath, Kernels, until, watch } from '../server/kernels.ts';

export class LiveNotebook<CellName extends string> {
  readonly connection: Connection;
  readonly #views = new Map<string, ReturnType<typeof watch>>();
  #state: SessionView;

  /** All cells are in the notebook. Only `first` runs, and is live afterwards. */
  static async open<CellName extends string>(
    t: TestContext,
    given: {
      readonly cells: Readonly<Record<CellName, string>>;
      readonly connections: ConnectionDefinitions;
      readonly first: CellName;
    },
  ): Promise<LiveNotebook<CellName>> {
    const kernels = new Kernels(t);
    const own = { notebook: kernels.notebook(), kernelPath, build: 'test', client: 'vscode' } as const;
    const connection = await connectSession({ ...own, connections: given.connections });
    t.onTestFinished(() => connection.close());
    await connection.request('sync', { cells: code(given.cells) });
    const opened = new LiveNotebook<CellName>(connection, Object.keys(given.cells));
    await opened.run(given.first);
    await opened.goesOn(given.first);
    return opened;
  }
  private constructor(connection: Connection, cells: readonly string[]) {
    this.connection = connection;
    this.#state = connection.welcome.state;
    connection.on('state', (state: SessionView) => (this.#state = state));
    for (const cell of cells) this.#views.set(cell, watch(connection, cell));
  }

  async run(...names: readonly CellName[]): Promise<void> {
    await this.connection.request('run', { cells: names });
  }
  rows(cell: CellName, part = 0): readonly unknown[] {
    const found = this.#parts(cell).filter(({ kind }) => kind === 'table')[part];
    return found?.kind === 'table' ? found.rows.map(({ value }) => value) : [];
  }
  errors(cell: CellName): readonly ErrorPart[] {
    return this.#parts(cell).filter((part) => part.kind === 'error');
  }
  state(cell: CellName): CellState {
    const found = this.#state.cells.find(({ id }) => id === cell);
    assert.ok(found);
    return found;
  }
  /** What the cell waits for, or ''. */
  trouble(cell: CellName): string {
    return this.state(cell).trouble ?? '';
  }
  /** On failure the error has all that the user sees of the cell. */
  async until(cell: CellName, condition: () => boolean): Promise<void> {
    await until(condition, 'the condition').catch((error: unknown) => {
      const seen = JSON.stringify([this.state(cell), this.#parts(cell)], undefined, 1);
      throw new Error(`${cell}: ${String(error)}\n${seen}`);
    });
  }
  /** Waits for more rows in the cell's table, and for nothing else in it. */
  async goesOn(cell: CellName): Promise<void> {
    const total = (): number => {
      const [table] = this.#parts(cell);
      return table?.kind === 'table' ? table.total : 0;
    };
    const before = total();
    await this.until(cell, () => total() > before && this.state(cell).phase === 'live');
    assert.deepEqual(this.errors(cell), []);
  }

  #parts(cell: CellName): ReturnType<typeof watch>['parts'] {
    return this.#views.get(cell)!.parts;
  }
}
