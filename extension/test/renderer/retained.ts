// What a page still holds after a collection of garbage, asked over the DevTools protocol.
import type { CDPSession, Page } from 'playwright-core';

export interface Retained {
  /** Elements in the document, and nodes outside of it that are kept. */
  readonly nodes: number;
  /** All objects of JavaScript, nodes and functions too. */
  readonly objects: number;
}

export async function retained(page: Page): Promise<Retained> {
  const session = await page.context().newCDPSession(page);
  try {
    // Twice: what a finalizer releases belongs to the second collection.
    for (let time = 0; time < 2; time++) await session.send('HeapProfiler.collectGarbage');
    return {
      nodes: await counted(session, 'Node.prototype', elementsAndKeptNodes),
      objects: await counted(session, 'Object.prototype', 'function () { return this.length; }'),
    };
  } finally {
    await session.detach();
  }
}

/**
 * The objects of nodes in the document do not count: the browser makes and drops them as it likes.
 * Of the prototypes among them, the property throws.
 */
const elementsAndKeptNodes = `function () {
  let count = document.getElementsByTagName('*').length;
  for (const node of this) try { if (!node.isConnected) count++; } catch {}
  return count;
}`;

/** What a function gives of all objects that have this prototype. */
async function counted(session: CDPSession, prototype: string, functionDeclaration: string): Promise<number> {
  const objectGroup = 'retained';
  const { result } = await session.send('Runtime.evaluate', { expression: prototype, objectGroup });
  const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId!, objectGroup });
  const count = await session.send('Runtime.callFunctionOn', {
    ...{ objectId: objects.objectId!, functionDeclaration, returnByValue: true },
  });
  await session.send('Runtime.releaseObjectGroup', { objectGroup });
  return count.result.value as number;
}
