// The shipped declarations: dist/sluice.d.ts and dist/testing.d.ts for the npm package, and
// dist/ambient.d.ts for "Set Up This Folder", where `import 'sluice'` must resolve in a folder that
// has no node_modules.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const surface = 'engine/api/surface.ts';
const testingSurface = 'engine/testing/surface.ts';
export const declarationInputs: readonly string[] = [surface, testingSurface];

export async function writeDeclarations(root: string): Promise<void> {
  const main = await readFile(path.join(root, surface), 'utf8');
  const testing = await readFile(path.join(root, testingSurface), 'utf8');
  const out = path.join(root, 'dist');
  await mkdir(out, { recursive: true });
  await writeFile(path.join(out, 'sluice.d.ts'), main);
  await writeFile(path.join(out, 'testing.d.ts'), testing.replaceAll("'../api/surface.ts'", "'./sluice.js'"));
  await writeFile(path.join(out, 'ambient.d.ts'), ambientDeclarations(main, testing));
}

/**
 * Both surfaces as `declare module` blocks, so that one file makes both imports resolve and can be
 * added to.
 */
export function ambientDeclarations(main: string, testing: string): string {
  return [
    '// Written by "Sluice: Set Up This Folder": what `import … from \'sluice\'` means to tsc and to other editors.',
    ambientModule('sluice', main),
    ambientModule('sluice/testing', testing.replaceAll("'../api/surface.ts'", "'sluice'")),
    '',
  ].join('\n');
}

// Inside `declare module` everything is ambient already, and everything is exported unless one
// export says otherwise.
function ambientModule(name: string, source: string): string {
  const body = source
    .replace(/^export declare /gm, 'export ')
    .replace(/^declare /gm, '')
    .split('\n')
    .map((line) => (line === '' ? line : `  ${line}`))
    .join('\n')
    .trimEnd();
  return `declare module '${name}' {\n${body}\n  export {};\n}`;
}
