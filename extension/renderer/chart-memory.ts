// Lets Vega forget what has left a chart. Its own tables are made for data that are drawn once: in
// a chart that is live for days they would fill the memory of the page.
import { type Changeset, type DataPulse, type DataTransform, transforms, tupleid, type View } from 'vega';

/**
 * Vega's transforms that derive one datum of each datum. When a row leaves, they set its place to
 * null and keep the place, one for each row that ever was. And they do not hand on that tables
 * shall be cleaned, so that what follows them keeps the series that have left.
 */
const deriving = ['relay', 'project'] as const;

/** Vega takes the transforms of a chart from this table. */
export function forgetRemovedRows(): void {
  for (const name of deriving) {
    const Deriving = transforms[name] as unknown as new (...given: readonly unknown[]) => DataTransform;
    class Forgetful extends Deriving {
      override transform(parameters: object, pulse: DataPulse): DataPulse | undefined {
        const out = super.transform(parameters, pulse);
        const derived = this.value;
        pulse.visit(pulse.REM, (datum) => {
          const id = tupleid(datum);
          // A row that left and came back in one change has a place again.
          if (derived?.[id] === null) delete derived[id];
        });
        // Without a pulse of its own it hands on the given one.
        if (out !== undefined && pulse.cleans === true) out.cleans = true;
        return out;
      }
    }
    Object.assign(transforms, { [name]: Forgetful });
  }
}

/** A sweep copies each table, so not each change has one. */
const changesOfSweep = 16;

/**
 * Vega's other tables forget what has left when they are cleaned, or as soon as they have too much
 * of it (more than 10,000): rows, series, and the ticks of an axis with their labels. An axis of
 * time has a new tick every few seconds, and a chart has many tables, so every few changes all of
 * them are cleaned. Tables that belong together have to be cleaned together.
 */
export class Sweep {
  #changes = 0;

  /** Prepares each change of the rows. The next picture draws it. */
  prepare(view: View, change: Changeset): Changeset {
    this.#changes = (this.#changes + 1) % changesOfSweep;
    const sweeps = this.#changes === 0;
    // Vega's types do not have these two.
    Object.assign(view, { cleanThreshold: sweeps ? 0 : Infinity });
    (change as Changeset & { clean(cleans: boolean): void }).clean(sweeps);
    return change;
  }
}
