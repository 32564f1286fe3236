// Which displays run, which stream each one shows, and which have ended. Rows never pass through
// the session.
import { invariant } from '../../engine/errors/invariant.ts';
import type { DisplayInstall } from '../executor/executor-protocol.ts';
import { labelsOf, partsOf, rowBounds } from '../live/displayed.ts';
import type { DeclaredCell, GraphDeclaration } from '../live/plan-request.ts';
import type { RowLabel, RunningDisplay, Session } from './state.ts';

/**
 * One generation of a display. A display whose stream is replaced continues as another generation.
 */
export type Generation = Pick<DisplayInstall, 'display' | 'installed'>;
const nameOf = ({ display, installed }: Generation): string => `${display}@${installed}`;

/** One display for each part that shows rows. The planner says which of them continue. */
export function wantedDisplays(graph: GraphDeclaration, epoch: number, isLossless: boolean): readonly DisplayInstall[] {
  return graph.cells.flatMap(({ cell, displayed }) =>
    partsOf(displayed).flatMap((spec, part): DisplayInstall[] => {
      if (spec.kind !== 'table' && spec.kind !== 'chart') return [];
      const { limit, perSecond } = rowBounds(spec);
      return [
        {
          ...{ display: `${cell}/${part}`, cell, part, instance: '' },
          ...(!isLossless && { perSecond }),
          newest: spec.kind === 'table',
          ...(spec.changes && { changes: limit }),
          ...{ keep: false, installed: epoch },
        },
      ];
    }),
  );
}

/** The displays of the next mutation. One that continues keeps its generation. */
export function nextDisplays(
  running: readonly RunningDisplay[],
  graph: GraphDeclaration,
  planned: readonly DisplayInstall[],
): readonly RunningDisplay[] {
  const former = new Map(running.map(({ install }) => [install.display, install]));
  const cells = new Map(graph.cells.map((declared) => [declared.cell, declared]));
  return planned.map((install) => {
    const kept = install.keep ? former.get(install.display) : undefined;
    const declared = cells.get(install.cell);
    invariant(declared, `display ${install.display} belongs to a cell of the graph, such as ${install.cell}`);
    return {
      install: kept ? { ...install, installed: kept.installed } : { ...install, keep: false },
      label: labelOf(declared, install.part),
    };
  });
}

function labelOf({ cell, displayed, exports }: DeclaredCell, part: number): RowLabel {
  const labels = labelsOf(partsOf(displayed), exports);
  const isOneOfSeveral = labels.filter((label) => label !== undefined).length > 1;
  return { cell, stream: labels[part] ?? cell, isOneOfSeveral };
}

/** The first rows of a new display come before its mutation is done. */
function displayOf(session: Session, generation: Generation): RunningDisplay | undefined {
  const name = nameOf(generation);
  const isIt = ({ install }: RunningDisplay): boolean => nameOf(install) === name;
  return session.mutation?.displays.find(isIt) ?? session.displays.find(isIt);
}
export function rowLabel(session: Session, generation: Generation): RowLabel | undefined {
  return displayOf(session, generation)?.label;
}

/** All rows of the display have come. */
export function hasEnded(session: Session, generation: Generation): boolean {
  return session.endedDisplays.has(nameOf(generation));
}
export function displayEnded(session: Session, generation: Generation): Session {
  if (hasEnded(session, generation) || !displayOf(session, generation)) return session;
  return { ...session, endedDisplays: new Set(session.endedDisplays).add(nameOf(generation)) };
}
/** The mutation is done: its displays are those that run. */
export function withDisplays(session: Session, displays: readonly RunningDisplay[]): Session {
  const names = new Set(displays.map(({ install }) => nameOf(install)));
  const ended = [...session.endedDisplays].filter((name) => names.has(name));
  return { ...session, displays, endedDisplays: new Set(ended) };
}

/** The first stream that a cell shows. */
export interface Shown {
  /** The instance that emits the rows, and its output. */
  readonly instance: string;
  readonly port: string;
  /** The instance of the display itself. */
  readonly display: string;
  /** The user's name for the stream: "counts.late". */
  readonly stream: string;
}
export function shownBy({ displays, plan }: Session, cell: string): Shown | undefined {
  const first = displays.find(({ install }) => install.cell === cell);
  const edge = first && plan.edges.find(({ to }) => to === first.install.instance);
  if (!edge) return undefined;
  return { instance: edge.from, port: edge.port, display: first.install.instance, stream: first.label.stream };
}
/** The instances whose rows the cell shows. */
export function instancesShownBy({ displays, plan }: Session, cell: string): ReadonlySet<string> {
  const shown = new Set(displays.flatMap(({ install }) => (install.cell === cell ? [install.instance] : [])));
  return new Set(plan.edges.flatMap(({ from, to }) => (shown.has(to) ? [from] : [])));
}
