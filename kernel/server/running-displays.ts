// Which displays run, whose rows they carry, and which have come to their end: bookkeeping between the graph and what is shown.
import { layoutOf, streamName } from '../displays/layout.ts';
import type { DisplayInstall } from '../executor/executor-protocol.ts';
import { partsOf } from '../live/planner.ts';
import type { DeclaredCell, GraphDeclaration } from '../live/plan-request.ts';

/** Whose rows they are. */
export interface RowLabel {
  readonly cell: string;
  /** Name of the stream that is shown. */
  readonly stream: string;
  readonly isOneOfSeveral: boolean;
}

/** One stream behind a display; a display whose stream is replaced goes on under another `installed`. */
type Installed = Pick<DisplayInstall, 'display' | 'installed'>;
const nameOf = ({ display, installed }: Installed): string => `${display}@${installed}`;

export class RunningDisplays {
  /** As of the last mutation that was done. */
  installs: readonly DisplayInstall[] = [];
  #planned: readonly DisplayInstall[] = [];
  readonly #labels = new Map<string, RowLabel>();
  readonly #atEnd = new Set<string>();

  /** A display for every part of rows that some cell shows; the plan says which of them go on. */
  wanted(graph: GraphDeclaration, epoch: number, isLossless: boolean): readonly DisplayInstall[] {
    return graph.cells.flatMap(({ cell, displayed }) =>
      layoutOf(displayed).flatMap((layout, part): DisplayInstall[] => {
        if (layout.kind !== 'table' && layout.kind !== 'chart') return [];
        const perSecond = isLossless ? undefined : layout.perSecond;
        const display = `${cell}/${part}`;
        return [
          {
            display,
            cell,
            part,
            instance: '',
            port: 'out',
            perSecond,
            newest: layout.kind === 'table',
            ...(layout.changes && { changes: layout.limit }),
            keep: false,
            installed: epoch,
          },
        ];
      }),
    );
  }

  /** What the next mutation installs. */
  plan(graph: GraphDeclaration, planned: readonly DisplayInstall[]): readonly DisplayInstall[] {
    this.#planned = planned.map((install) => this.#continued(install));
    const cells = new Map(graph.cells.map((declared) => [declared.cell, declared]));
    for (const install of this.#planned) {
      const declared = cells.get(install.cell);
      if (declared) this.#labels.set(nameOf(install), labelOf(declared, install.part));
    }
    return this.#planned;
  }
  #continued(install: DisplayInstall): DisplayInstall {
    const former = install.keep && this.installs.find(({ display }) => display === install.display);
    return former ? { ...install, installed: former.installed } : { ...install, keep: false };
  }
  /** The mutation is done. */
  install(): void {
    this.installs = this.#planned;
    const names = new Set(this.installs.map(nameOf));
    for (const name of this.#labels.keys()) if (!names.has(name)) this.#labels.delete(name);
    for (const name of this.#atEnd) if (!names.has(name)) this.#atEnd.delete(name);
  }

  label(of: Installed): RowLabel | undefined {
    return this.#labels.get(nameOf(of));
  }
  ended(of: Installed): void {
    this.#atEnd.add(nameOf(of));
  }
  /** All rows of all displays have come. */
  get areAtEnd(): boolean {
    return this.installs.every((install) => this.#atEnd.has(nameOf(install)));
  }
  instanceOf(display: string): string | undefined {
    return this.installs.find((install) => install.display === display)?.instance;
  }
  /** The first one of a cell. */
  firstOf(cell: string): DisplayInstall | undefined {
    return this.installs.find((install) => install.cell === cell);
  }
}

function labelOf({ cell, displayed, exports }: DeclaredCell, part: number): RowLabel {
  const parts = partsOf(displayed);
  const streams = parts.flatMap((spec) => ('from' in spec ? [streamName(spec.from, exports)] : []));
  const spec = parts[part];
  const stream = spec && 'from' in spec ? streamName(spec.from, exports) : cell;
  return { cell, stream, isOneOfSeveral: new Set(streams).size > 1 };
}
