// The documents for contributors are true: each path and each npm script in them exists.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import { test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const documents = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'README.md'] as const;
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The files of git, and their folders. Paths that only a build makes are not among them. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
  .toString()
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const entries = new Set(files.flatMap((path) => [path, ...foldersOf(path)]));

function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return folder === '.' ? [] : [folder, ...foldersOf(folder)];
}

const topLevel = /^(?:engine|kernel|extension|samples|\.ci|\.vscode)\//;
const fileName = /[\w*}]\.(?:ts|js|json|jsonl|md)$/;
/** Folders that the build writes, that npm installs, and that Sluice writes beside notebooks. */
const made = /^(?:dist|node_modules|\.sluice)\//;

/** The words between backticks that look like a path of this repository. */
function pathsIn(text: string): readonly string[] {
  const outsideBlocks = text.replace(/^```[\s\S]*?^```$/gm, '');
  const words = [...outsideBlocks.matchAll(/`([^`]+)`/g)].flatMap(([, span]) => span!.split(/\s+/));
  return words
    .filter((word) => /^[\w.*{},@/-]+$/.test(word) && (topLevel.test(word) || fileName.test(word)))
    .filter((word) => !made.test(word));
}

/**
 * A path from the top level is a whole path. Any other path is the end of a path:
 * `live/planner.ts`.
 */
function exists(path: string): boolean {
  const wanted = path.replace(/\/$/, '');
  const isWhole = topLevel.test(path);
  if (/[*{]/.test(wanted)) return files.some((file) => matchesGlob(file, isWhole ? wanted : `**/${wanted}`));
  return entries.has(wanted) || (!isWhole && files.some((file) => file.endsWith(`/${wanted}`)));
}

for (const document of documents) {
  test(`each path that ${document} names exists`, () => {
    const paths = pathsIn(textOf(document));
    assert.ok(paths.length > 0, 'The document names paths.');
    assert.deepEqual(
      paths.filter((path) => !exists(path)),
      [],
    );
  });

  test(`each link of ${document} into the repository leads to a file`, () => {
    const links = [...textOf(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!);
    assert.deepEqual(
      links.filter((target) => !entries.has(target.replace(/\/$/, ''))),
      [],
    );
  });

  test(`each npm script that ${document} names is in package.json`, () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [...textOf(document).matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)];
    assert.deepEqual(
      named.map(([, script, short]) => script ?? short!).filter((script) => !(script in scripts)),
      [],
    );
  });
}

test('a path that is not there is found out', () => {
  const paths = pathsIn('`engine/graph/diff.ts` and `live/planner.ts`, not `dist/cli.js`, `a.b()` or `.ts`');
  assert.deepEqual(paths, ['engine/graph/diff.ts', 'live/planner.ts']);
  assert.deepEqual(paths.map(exists), [false, true]);
  assert.deepEqual(
    ['live/', 'kernel/live/*.ts', '*.sluice.ts', 'engine/live/*.ts', 'engine/planner.ts', '.vscode/launch.json'].map(
      exists,
    ),
    [false, true, true, false, false, true],
  );
});
