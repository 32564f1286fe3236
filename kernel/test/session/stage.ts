// Plays a session by hand. Events go in, and effects come out as short sentences. The test triggers
// each answer of compiler and executor.
//
// A cell `x y$ = a b$` declares x and the stream y$, and reads a and the stream b$.
// The target of a sink follows `!`; text after `#` only makes the text of the cell differ.
import type { TaskSnapshot } from '../../../engine/runtime/snapshot.ts';
import type { Displayed, Export, FragmentData, LocatedError } from '../../executor/executor-protocol.ts';
import type { LivePlanner, Planned, PlanRequest } from '../../live/plan-request.ts';
import { planLive } from '../../live/planner.ts';
import type { CellText } from '../../protocol/messages.ts';
import type { SessionEffect, SessionEvent } from '../../session/events.ts';
import { step } from '../../session/session.ts';
import { sessionView } from '../../session/session-view.ts';
import {
  type CellScope,
  type Compiled,
  createSession,
  type SavedViews,
  type Session,
  type Settings,
} from '../../session/state.ts';

export class Stage {
  state: Session;
  now = 0;
  /** Effects since the last call. */
  #said: string[] = [];
  readonly effects: SessionEffect[] = [];
  /** The requests to the planner, in order. */
  readonly requests: PlanRequest[] = [];
  /** Stands in for the planner of the session. It may throw. */
  planner: LivePlanner = planLive;
  readonly #requestOf = new Map<Planned['plan'], PlanRequest>();
  readonly #cellOfRun = new Map<number, string>();
  /** A value changes when the text of its cell changes. See `hashes`. */
  readonly hashes = new Map<string, string>();
  /** The displays of each cell when it is evaluated. A cell without an entry shows nothing. */
  readonly shows = new Map<string, Displayed>();
  /** The rows on screen at the last snapshot. `total` counts the snapshots. */
  views: SavedViews = new Map([['a/0', { installed: 0, rows: [], total: 0 }]]);
  #request = 0;

  constructor(settings: Partial<Settings> = {}) {
    this.state = createSession(settings);
  }

  event(event: SessionEvent): string[] {
    const { state, effects } = step(this.state, event, this.now, (request) => this.#plan(request));
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) if (effect.kind === 'compile') this.#cellOfRun.set(effect.run, effect.cell);
    this.#said.push(...effects.flatMap((effect) => this.#sentence(effect)));
    return this.said();
  }
  #plan(request: PlanRequest): Planned {
    this.requests.push(request);
    const planned = this.planner(request);
    // Plans are distinguished by identity.
    const plan = { ...planned.plan };
    this.#requestOf.set(plan, request);
    return { ...planned, plan };
  }
  said(): string[] {
    return this.#said.splice(0);
  }

  document(cells: Readonly<Record<string, string>>): string[] {
    const texts = Object.entries(cells).map(([id, text]): CellText => ({ id, kind: 'code', text }));
    return this.event({ kind: 'sync', cells: texts });
  }
  ready(): string[] {
    return this.event({ kind: 'ready' });
  }
  run(...cells: string[]): string[] {
    return this.event({ kind: 'run', request: ++this.#request, cells });
  }
  /** The compiler answers. */
  compiled(cell: string): string[] {
    const run = this.#run(cell, 'compiling');
    const effect = this.effects.findLast((e) => e.kind === 'compile' && e.run === run);
    if (effect?.kind !== 'compile') throw new Error(`${cell} is not being compiled`);
    return this.event({ kind: 'compiled', run, compiled: compile(effect.cells, cell) });
  }
  refused(cell: string, message = 'Unexpected token.'): string[] {
    return this.event({ kind: 'compilation-failed', run: this.#run(cell, 'compiling'), error: error(cell, message) });
  }
  /** The executor has evaluated the cell. */
  evaluated(cell: string): string[] {
    const run = this.state.runs.find((r) => r.cell === cell && (r.status === 'evaluating' || r.status === 'pulling'));
    if (!run) throw new Error(`${cell} is not being evaluated`);
    return this.event({ kind: 'evaluated', run: run.id, ...result(cell, run.text, this.hashes, this.shows.get(cell)) });
  }
  threw(cell: string, message = 'Boom.'): string[] {
    const run = this.state.runs.find((r) => r.cell === cell && (r.status === 'evaluating' || r.status === 'pulling'));
    return this.event({ kind: 'evaluation-failed', run: run?.id ?? -1, error: error(cell, message) });
  }
  /** The executor evaluates its former cells again. */
  restored(cell: string): string[] {
    const active = this.state.cells.get(cell)?.active;
    if (!active) throw new Error(`${cell} never ran`);
    return this.event({
      kind: 'evaluated',
      run: active.run,
      ...result(cell, active.text, this.hashes, this.shows.get(cell)),
    });
  }
  /** The executor answers a run. The cell may have changed or gone in the meantime. */
  restoredRun(run: number): string[] {
    const cell = [...this.state.cells.values()].find(({ active }) => active?.run === run);
    return cell ? this.restored(cell.id) : this.event({ kind: 'evaluated', run, ...result('gone', '', this.hashes) });
  }
  mutated(): string[] {
    return this.event({ kind: 'mutated', epoch: this.state.epoch, positions: {} });
  }
  mutationFailed(message = 'It has no end.'): string[] {
    return this.event({ kind: 'mutation-failed', epoch: this.state.epoch, error: error('', message) });
  }
  pulls(cell: string, pull = 'p1', label = 'totals', wants?: number): string[] {
    const run = this.state.runs.find((r) => r.cell === cell && (r.status === 'evaluating' || r.status === 'pulling'));
    const from = { node: 'n', port: 'out' };
    return this.event({
      kind: 'pull-opened',
      run: run?.id ?? -1,
      ...{ pull, label, from, fragment: fragment(cell) },
      ...(wants !== undefined && { wants }),
    });
  }
  /** The executor has written a snapshot: instance → position of its state. */
  snapshot(
    states: Readonly<Record<string, number>>,
    figures: { millis?: number; behindMillis?: number; checkpoint?: number; clock?: number } = {},
  ): string[] {
    const parts = Object.entries(states).map(([instance, watermark]) => ({ instance, state: taskState(watermark) }));
    this.views = new Map([['a/0', { installed: 0, rows: [], total: this.views.get('a/0')!.total + 1 }]]);
    const { views } = this;
    const event = { kind: 'snapshot', epoch: 0, parts, clock: this.now, views, millis: 0, behindMillis: 0 } as const;
    return this.event({ ...event, ...figures });
  }
  pulled(pull = 'p1'): string[] {
    return this.event({ kind: 'pull-closed', pull });
  }
  /** A run that nothing stands in the way of. */
  runs(cell: string): void {
    this.run(cell);
    this.compiled(cell);
    this.evaluated(cell);
    this.mutated();
    this.said();
  }

  view(cell: string): ReturnType<typeof sessionView>['cells'][number] {
    const view = sessionView(this.state, { now: this.now, hasView: () => false, zone: 'UTC' });
    const found = view.cells.find(({ id }) => id === cell);
    if (!found) throw new Error(`${cell} is not shown`);
    return found;
  }

  #sentence(effect: SessionEffect): string[] {
    switch (effect.kind) {
      case 'compile':
        return [`compile ${effect.cell}`];
      case 'evaluate':
        return [`evaluate ${effect.cell}${effect.restore ? ' again' : ''}`];
      case 'mutate': {
        const request = this.#requestOf.get(effect.plan);
        if (!request) throw new Error('The plan of a mutation came from no planner.');
        const cells = request.graph.cells.map(
          ({ cell, armed, detached }) => cell + (armed ? '!' : '') + (detached ? '?' : ''),
        );
        const pulls = request.graph.pulls.map(({ pull }) => pull);
        const commits = request.committing === undefined ? '' : ` for ${request.committing}`;
        return [`mutate [${[...cells, ...pulls].join(' ')}]${commits}${effect.restore ? ' from the snapshot' : ''}`];
      }
      case 'commit':
        return [`commit ${this.#cellOfRun.get(effect.run)}`];
      case 'discard':
        return [`discard ${this.#cellOfRun.get(effect.run)}`];
      case 'forget':
        return [`forget ${effect.cell}`];
      case 'checkpoint-complete':
      case 'checkpoint-aborted':
        return [];
      case 'store-checkpoint':
        return [`store ${effect.content.id}`];
      case 'store-savepoint':
        return [`savepoint ${effect.request} in ${effect.directory}`];
      case 'read-older-checkpoint':
        return [`read the checkpoint before ${effect.before}`];
      case 'discard-checkpoints':
        return ['discard checkpoints'];
      case 'snapshot':
        return ['snapshot'];
      case 'refuse-pull':
        return [`refuse ${effect.pull}: ${effect.error.message}`];
      case 'interrupt-executor':
        return [`interrupt ${effect.cell ?? 'all'}`];
      case 'warn':
        return [`warn ${effect.text}`];
      case 'graph-failed':
        return [`the graph cannot change: ${effect.error.message}`];
      case 'start-executor':
        return ['start executor'];
      case 'terminate-executor':
        return ['end executor'];
      case 'answer':
        return [`answer ${effect.results.map(({ cell, ok }) => `${cell} ${ok ? 'ok' : 'failed'}`).join(', ')}`];
      case 'run-started':
        return [`${effect.cell} begins`];
      case 'run-ended': {
        const { ok, ranFirst, error: failure } = effect.result;
        const first = ranFirst.length > 0 ? ` after ${ranFirst.join(' ')}` : '';
        return [`${effect.cell} ${ok ? 'is done' : `fails: ${failure?.message ?? ''}`}${first}`];
      }
      case 'set-timer':
        return [`timer ${effect.timer} ${effect.millis}`];
      case 'clear-timer':
        return [`no timer ${effect.timer}`];
      case 'end-session':
        return [`end session: ${effect.reason}`];
      // Other tests cover the noted runs and the content of the screen.
      case 'note-runs':
      case 'prepare-view':
      case 'rewind-views':
      case 'show-prepared-views':
      case 'drop-prepared-views':
      case 'remove-view':
      case 'clear-log':
      case 'show-errors':
        return [];
    }
  }

  #run(cell: string, status: string): number {
    const run = this.state.runs.find((r) => r.cell === cell && r.status === status);
    if (!run) throw new Error(`${cell} is not ${status}`);
    return run.id;
  }
}

export function error(cell: string, message: string): LocatedError {
  return { code: 'test', cell, message };
}

export function scopeOf(text: string): CellScope {
  const [left = '', right = ''] = text.replace(/[!#].*/, '').split('=');
  const names = (part: string): string[] => part.split(' ').filter(Boolean);
  return { declares: names(left), uses: names(right) };
}

export function compile(cells: readonly CellText[], cell: string): Compiled {
  const others: Record<string, CellScope> = {};
  let scope: CellScope = { declares: [], uses: [] };
  for (const { id, text } of cells) {
    if (id === cell) scope = scopeOf(text);
    else others[id] = scopeOf(text);
  }
  const modules = scope.uses.filter((name) => name.startsWith('./'));
  return { code: '', scope, others, modules };
}

export function result(
  cell: string,
  text: string,
  hashes: ReadonlyMap<string, string>,
  displayed: Displayed = { parts: [] },
): {
  readonly fragment: FragmentData;
  readonly exports: readonly Export[];
  readonly displayed: Displayed;
  readonly kept: { readonly values: Readonly<Record<string, unknown>> };
} {
  const exports = scopeOf(text).declares.map((name): Export => {
    if (name.endsWith('$')) return { kind: 'stream', name, endpoint: { node: `${cell}/${name}/map#1`, port: 'out' } };
    return { kind: 'value', name, hash: hashes.get(name) ?? text };
  });
  const target = /!(\S+)/.exec(text)?.[1];
  return {
    fragment: {
      ...fragment(cell),
      sinks: target === undefined ? [] : [{ node: `${cell}/sink#1`, target }],
      ...(text.includes('checkpoint: false') && { options: { checkpoint: false } }),
      ...(text.includes('restart: none') && { options: { restart: { kind: 'none' } } }),
    },
    exports,
    displayed,
    kept: { values: {} },
  };
}

/** A state that its watermark distinguishes from others. */
export function taskState(watermark: number, full = true): TaskSnapshot {
  return { full, groups: new Map(), watermark };
}

function fragment(group: string): FragmentData {
  return { group, nodes: [], edges: [], sinks: [] };
}

/** A session in which each of the cells has run. */
export function ran(cells: Readonly<Record<string, string>>): Stage {
  const stage = new Stage();
  stage.document(cells);
  stage.ready();
  for (const id of Object.keys(cells)) stage.runs(id);
  return stage;
}
/** The executor is there again and has evaluated these cells. */
export function restart(s: Stage, ...cells: readonly string[]): void {
  s.ready();
  for (const cell of cells) s.restored(cell);
  s.mutated();
}
