// The README is true: its code compiles against the contract, and its commands exist.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly contributes: { readonly commands: readonly { readonly category: string; readonly title: string }[] };
};

/** Consecutive blocks are one notebook. A block without an import continues the block before it. */
function programs(): string[] {
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
  const merged: string[] = [];
  for (const block of blocks)
    if (/^import /m.test(block)) merged.push(block);
    else merged.push(`${merged.pop() ?? ''}${block}`);
  return merged;
}

test('the code of the README compiles against the contract', () => {
  const texts = new Map(programs().map((text, i) => [join(root, `readme-${i}.ts`), `${text}\nexport {};\n`]));
  assert.ok(texts.size >= 3);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2024.d.ts'],
    types: ['node'],
    allowImportingTsExtensions: true,
    paths: {
      sluice: [join(root, 'engine/api/surface.ts')],
      'sluice/testing': [join(root, 'engine/testing/surface.ts')],
    },
  };
  const host = ts.createCompilerHost(options);
  const disk = ts.createCompilerHost(options);
  host.fileExists = (path) => texts.has(path) || disk.fileExists(path);
  host.readFile = (path) => texts.get(path) ?? disk.readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? disk.getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2024, true);
  };
  const program = ts.createProgram({ rootNames: [...texts.keys()], options, host });
  const problems = ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.text ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  assert.deepEqual(problems, []);
});

test('every command that the README names is there', () => {
  const scripts = [...readme.matchAll(/`?npm (?:run )?(?:-s )?([a-z]+(?:-[a-z]+)*)\b/g)].map(([, name]) => name!);
  const ours = scripts.filter((name) => !['installs', 'scripts'].includes(name));
  assert.ok(ours.length > 6);
  for (const name of ours) assert.ok(name in manifest.scripts, `npm run ${name}`);
  const commands = manifest.contributes.commands.map(({ category, title }) => `${category}: ${title}`);
  for (const [, command] of readme.matchAll(/\*\*(Sluice: [^*]+)\*\*/g))
    assert.ok(commands.includes(command!), command);
});

test('every file that the README links to is there', () => {
  for (const [, target] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
    assert.ok(existsSync(join(root, target!)), target);
});
