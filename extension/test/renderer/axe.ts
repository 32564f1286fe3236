// What axe finds in a page or in a frame of VS Code.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { ElementHandle, Locator } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * One line for each violation in the elements of `roots`: the rule, what it is about, and the first
 * nodes. The rules for whole documents count for a whole document only: around an output is VS
 * Code's own.
 */
export async function violations(roots: Locator): Promise<readonly string[]> {
  const nodes = await roots.elementHandles();
  if (nodes.length === 0) throw new Error('There is no element to look at.');
  // The policy of a page may not allow it to evaluate a text. A debugger may.
  await (await nodes[0]!.ownerFrame())!.evaluate(axe);
  const found: string[] = [];
  // axe does one run at a time.
  for (const node of nodes) found.push(...(await violationsOf(node)));
  return found;
}

async function violationsOf(node: ElementHandle): Promise<readonly string[]> {
  const found = await node.evaluate((element) => {
    const rules = element === document.body ? {} : { region: { enabled: false } };
    const { axe } = globalThis as unknown as { axe: { run(root: unknown, options: object): Promise<AxeResults> } };
    return axe.run(element, { rules });
  });
  return found.violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes
        .slice(0, 3)
        .map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary ?? ''}`)
        .join(' | ')}`,
  );
}
