// The shipped samples: their list, and the files that a sample reads.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { parseNotebook } from '../../kernel/protocol/notebook-file.ts';

export interface Sample {
  readonly file: string;
  readonly title: string;
  readonly summary: string;
}

const ending = '.sluice.ts';

export async function listSamples(folder: string): Promise<Sample[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(ending)).sort();
  return Promise.all(
    files.map(async (file) => {
      const cells = parseNotebook(await readFile(path.join(folder, file), 'utf8'));
      const prose = cells.find((cell) => cell.kind === 'markdown')?.text.split('\n') ?? [];
      const heading = prose.findIndex((line) => /^# /.test(line));
      return {
        file,
        title: prose[heading]?.slice(2).trim() ?? file.slice(0, -ending.length),
        summary:
          prose
            .slice(heading + 1)
            .find((line) => line.trim() !== '')
            ?.trim() ?? '',
      };
    }),
  );
}

/** Paths below the folder that the notebook's text contains: data and modules. */
export async function filesOf(folder: string, notebook: string): Promise<string[]> {
  const text = await readFile(path.join(folder, notebook), 'utf8');
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile() && !entry.name.endsWith(ending))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((name) => text.includes(`'${name}'`) || text.includes(`'./${name}'`))
    .sort();
}
