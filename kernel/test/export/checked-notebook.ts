// Asks what becomes of a notebook as a job, in a folder of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { CellDiagnostic } from '../../cells/compile.ts';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { exportability, type Exportability, type Target } from '../../export/exportability.ts';
import { identify } from '../../protocol/cell-identity.ts';
import { parseNotebook } from '../../protocol/notebook-file.ts';

interface Checked {
  readonly exported: Exportability;
  readonly problems: readonly string[];
}
type Files = Readonly<Record<string, string>>;

export const folder = mkdtempSync(join(tmpdir(), 'sluice-export-'));
export const notebook = join(folder, 'n.sluice.ts');
// One service for all tests of a file: a new one parses TypeScript's declarations again.
let service: NotebookLanguageService | undefined;

/** Each test file that uses this one calls it: several files share a process. */
export function removedAfterTheFile(): void {
  afterAll(() => {
    service?.dispose();
    service = undefined;
    rmSync(folder, { recursive: true, force: true });
  });
}

/** The exportability alone, without the errors of TypeScript. */
export function checked(text: string, files: Files = {}, target: Target = 'node'): Checked {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  service ??= new NotebookLanguageService({ notebook });
  const parsed = parseNotebook(text);
  const identities = identify(parsed);
  service.update(parsed.map(({ kind, text: cell }, i) => ({ id: identities[i]!.id, kind, text: cell })));
  const exported = exportability(notebook, target, service.typed());
  return { exported, problems: exported.problems.map(lineOf) };
}
export function lineOf({ cell, line, column, severity, code, message }: CellDiagnostic): string {
  return `${cell} ${line}:${column} ${severity} ${code} ${message}`;
}

/** The first cell of a notebook. */
export const source = `// %% id=orders
import { count, generate, tumbling } from 'sluice';
const orders = generate({ rate: 10, limit: 100, timestamp: 'at' }, ({ n, now }) => ({ n, k: n % 3, at: now }));
`;
