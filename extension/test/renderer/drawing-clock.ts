// The CPU time of the thread that draws a frame of a page. It stands still while other programs
// have the processor.
import type { CDPSession, Frame } from 'playwright-core';

export interface DrawingClock {
  /** CPU time of the frame's thread so far. */
  cpuMillis(): Promise<number>;
}

export async function drawingClock(frame: Frame): Promise<DrawingClock> {
  const session = await sessionOf(frame);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return {
    async cpuMillis() {
      const { metrics } = await session.send('Performance.getMetrics');
      const duration = metrics.find(({ name }) => name === 'TaskDuration');
      if (duration === undefined) throw new Error('The browser does not tell how long its tasks took.');
      return duration.value * 1_000;
    },
  };
}

/** A frame without a process of its own is drawn by the thread of the frame around it. */
async function sessionOf(frame: Frame): Promise<CDPSession> {
  const parent = frame.parentFrame();
  if (parent === null) return frame.page().context().newCDPSession(frame.page());
  try {
    return await frame.page().context().newCDPSession(frame);
  } catch {
    return sessionOf(parent);
  }
}
