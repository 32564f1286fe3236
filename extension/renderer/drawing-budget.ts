// How often charts are drawn: four times a second, and less often when all charts together would
// need more than half a core, but at least every 1.5 s. Frames in between become one picture.
/** Two pictures of a chart are at least this far apart. */
const leastMillis = 245;
/** At one second, twenty charts took 0.68 cores on a machine without a GPU (34 ms each). */
const mostMillis = 1_500;
/** Of one core, for all charts. */
const share = 0.5;
/**
 * What a picture costs in all, as a multiple of the time that its drawing takes here. The rest is
 * layout and painting, without a GPU in other threads, and the frames between the pictures. No
 * script can measure it there. The number is an estimate: `npm run bench -- page` has shown 3.8 for
 * 20 charts of 2,000 points without a GPU.
 */
const wholeCost = 4;
/** A chart that was not drawn for this long needs nothing: it is hidden, frozen or still. */
const forgottenMillis = 2_000;

export class DrawingBudget {
  readonly #costs = new Map<object, { millis: number; at: number }>();

  /** The chart was drawn, which took so long without painting. */
  spent(chart: object, millis: number, now: number): void {
    const known = this.#costs.get(chart);
    // A picture takes longer when other programs have the processor, so the faster ones count more.
    const weight = known !== undefined && millis > known.millis ? 0.1 : 0.5;
    const smoothed = known === undefined ? millis : known.millis + (millis - known.millis) * weight;
    this.#costs.set(chart, { millis: smoothed, at: now });
  }
  forget(chart: object): void {
    this.#costs.delete(chart);
  }
  /** Time from the begin of a chart's picture to the begin of its next one. */
  intervalMillis(now: number): number {
    let total = 0;
    for (const [chart, { millis, at }] of this.#costs) {
      if (now - at > forgottenMillis + millis * this.#costs.size) this.#costs.delete(chart);
      else total += millis;
    }
    return Math.min(mostMillis, Math.max(leastMillis, (total * wholeCost) / share));
  }
}

/** Of all charts of this page or webview. */
export const drawingBudget = new DrawingBudget();
