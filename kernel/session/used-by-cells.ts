// The modules that the cells of a session have used. Cells that import one module share its bytes,
// so a checkpoint has them once.
import { basename } from 'node:path';
import type { ModuleContent } from '../cells/module-contents.ts';
import type { UsedModule, UsedModules } from '../cells/used-modules.ts';
import type { ExecutorEvent } from '../executor/executor-protocol.ts';
import type { Active, Compiled, Session } from './state.ts';
import { withActive, withRun } from './state.ts';

/** Modules that another cell has too are the same objects. */
export function shared({ cells }: Session, used: UsedModules): UsedModules {
  const known = new Map<string, UsedModule>();
  for (const { active } of cells.values())
    for (const module of active?.used?.modules ?? []) known.set(`${module.hash} ${module.path}`, module);
  const modules = used.modules.map((module) => {
    const other = known.get(`${module.hash} ${module.path}`);
    if (!other || other.code.length !== module.code.length) return module;
    return { ...module, code: other.code };
  });
  return { ...used, modules };
}

/** A callback of a cell has imported one more. */
export function modulesUsed(session: Session, event: Extract<ExecutorEvent, { kind: 'modules-used' }>): Session {
  const { run: id, used, paths } = event;
  const usedNow = ({ compiled }: Pick<Active, 'compiled'>): Pick<Active, 'used' | 'compiled'> => ({
    used: shared(session, used),
    compiled: withModules(compiled, paths),
  });
  const run = session.runs.find((one) => one.id === id);
  if (run?.candidate) return withRun(session, id, { candidate: { ...run.candidate, ...usedNow(run.candidate) } });
  const cell = [...session.cells.values()].find(({ active }) => active?.run === id);
  return cell?.active ? withActive(session, cell.id, usedNow(cell.active)) : session;
}
/** The text of a cell does not show the modules whose names are computed. */
export function withModules(compiled: Compiled, paths: readonly string[] = []): Compiled {
  return { ...compiled, modules: [...new Set([...compiled.modules, ...paths])] };
}

/** Files have another content now. A cell that ran with that content is not stale. */
export function modulesChanged(session: Session, changed: readonly ModuleContent[]): Session {
  let s = session;
  for (const [id, { active }] of session.cells) {
    const own = changed.filter(({ path }) => active?.compiled.modules.includes(path));
    if (!active || own.length === 0) continue;
    const paths = new Set(own.map(({ path }) => path));
    const stale = own.filter((content) => !hasRunWith(active, content)).map(({ path }) => path);
    s = withActive(s, id, { changedModules: [...active.changedModules.filter((path) => !paths.has(path)), ...stale] });
  }
  return s;
}
function hasRunWith({ used }: Active, { path, hash }: ModuleContent): boolean {
  return used?.modules.some((module) => module.hash === hash && basename(module.path) === basename(path)) ?? false;
}
