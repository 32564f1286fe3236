// Rules of ARCHITECTURE.md that no compiler checks: imports, folders, names, first lines, lengths
// and forbidden contents of files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import ts from 'typescript';
import { test } from 'vitest';
import { kinds } from '../../engine/graph/kinds.ts';
import { layerOf, layers } from './layers.ts';

const root = join(import.meta.dirname, '..', '..');
/** The files of git: tracked files, and new files that git does not ignore. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
  .toString()
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const code = files.filter((path) => /^(engine|kernel|extension)\/.*\.ts$/.test(path) && !path.includes('/fixtures/'));
const shipped = code.filter((path) => !/\/(test|bench)\//.test(path));

/** Files of ours that a file imports, types included, as paths from the root. */
function importsOf(path: string): { readonly ours: string[]; readonly packages: string[] } {
  const specifiers = ts.preProcessFile(textOf(path), true, true).importedFiles.map((file) => file.fileName);
  const isRelative = (specifier: string): boolean => specifier.startsWith('.');
  return {
    ours: specifiers.filter(isRelative).map((specifier) => posix.join(dirname(path), specifier)),
    packages: specifiers.filter((specifier) => !isRelative(specifier)),
  };
}

function assertNone(found: readonly string[], rule: string): void {
  assert.deepEqual(found, [], rule);
}

/** The folders that each part may import from. The longest prefix of a file's path decides. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'engine/': ['engine/'],
  'kernel/': ['kernel/', 'engine/'],
  'kernel/protocol/': ['kernel/protocol/'],
  'kernel/client/': ['kernel/client/', 'kernel/protocol/'],
  'extension/': ['extension/', 'kernel/protocol/', 'kernel/client/'],
  'extension/renderer/': ['extension/renderer/', 'kernel/protocol/'],
};

test('imports go extension → kernel/protocol and kernel/client, kernel → engine, engine → nothing', () => {
  const wrong: string[] = [];
  for (const path of shipped) {
    const part = Object.keys(mayImport)
      .filter((prefix) => path.startsWith(prefix))
      .sort((a, b) => b.length - a.length)[0];
    assert.ok(part !== undefined);
    for (const target of importsOf(path).ours)
      if (!mayImport[part]?.some((prefix) => target.startsWith(prefix))) wrong.push(`${path} imports ${target}`);
  }
  assertNone(wrong, 'The direction is extension → kernel/protocol, kernel/client; kernel → engine; engine → nothing.');
});

/** Shipped files of engine and kernel, the product's build and bench apart. */
const layered = shipped.filter((path) => /^(engine|kernel)\//.test(path));

test('every folder of engine and kernel has a row among the layers', () => {
  assertNone(
    layered.filter((path) => layerOf(path) === undefined).map((path) => `${path} lies in a folder without a row`),
    'A new folder gets a row in kernel/test/layers.ts: what it may import, and the reason.',
  );
  const folders = new Set(layered.map((path) => layerOf(path)?.folder));
  assertNone(
    layers.flatMap(({ folder }) => (folders.has(folder) ? [] : [`${folder} has a row and no file`])),
    'A folder that is gone loses its row.',
  );
});

test('a file imports only the layers that its folder may import', () => {
  const wrong = layered.flatMap((path) => {
    const layer = layerOf(path);
    return importsOf(path)
      .ours.filter((target) => {
        const folder = layerOf(target)?.folder ?? target;
        return folder !== layer?.folder && !layer?.imports.includes(folder);
      })
      .map((target) => `${path} imports ${target}. ${layer?.reason ?? ''}`);
  });
  assertNone(wrong, 'Imports follow the rows of kernel/test/layers.ts.');
});

test('a layer imports only layers whose rows stand above its own', () => {
  const above = new Set<string>();
  const wrong: string[] = [];
  for (const { folder, imports } of layers) {
    for (const target of imports) if (!above.has(target)) wrong.push(`${folder} may import ${target}`);
    above.add(folder);
  }
  assertNone(wrong, 'No two folders import each other, directly or through others.');
});

test('a folder and a folder inside it do not import each other', () => {
  const pairs = new Set(
    layered.flatMap((path) => importsOf(path).ours.map((target) => `${dirname(path)} ${dirname(target)}`)),
  );
  const wrong = [...pairs].filter((pair) => {
    const [inner, outer] = pair.split(' ') as [string, string];
    return inner.startsWith(`${outer}/`) && pairs.has(`${outer} ${inner}`);
  });
  assertNone(wrong, 'What both need lies in a layer above them.');
});

test('no layer may import a folder that none of its files imports', () => {
  const wrong = layers.flatMap(({ folder, imports }) => {
    const used = new Set(
      layered
        .filter((path) => layerOf(path)?.folder === folder)
        .flatMap((path) => importsOf(path).ours.map((target) => layerOf(target)?.folder)),
    );
    return imports.filter((target) => !used.has(target)).map((target) => `${folder} may import ${target}`);
  });
  assertNone(wrong, 'A right that nobody uses is taken out of kernel/test/layers.ts.');
});

test('no files import each other in a circle, but the classes of engine/api', () => {
  const targets = new Map(shipped.map((path) => [path, importsOf(path).ours]));
  const done = new Set<string>();
  const wrong: string[] = [];
  const visit = (path: string, open: readonly string[]): void => {
    const at = open.indexOf(path);
    if (at >= 0) {
      const circle = open.slice(at);
      if (!circle.every((one) => one.startsWith('engine/api/'))) wrong.push([...circle, path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...open, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  assertNone(wrong, 'A stream makes a table and a table makes a stream; nothing else needs a circle.');
});

test('only the file that gives cells their modules imports the test kit', () => {
  const wrong = shipped
    .filter((path) => !path.startsWith('engine/testing/') && path !== 'kernel/executor/own-modules.ts')
    .flatMap((path) =>
      importsOf(path)
        .ours.filter((target) => target.startsWith('engine/testing/'))
        .map((target) => `${path} imports ${target}`),
    );
  assertNone(wrong, 'What production and the test kit share lies in a layer below both.');
});

test('no shipped file imports a test, the bench or the package by its own name', () => {
  const wrong = shipped.flatMap((path) => {
    const { ours, packages } = importsOf(path);
    return [
      ...ours.filter((target) => /\/(test|bench)\//.test(target)),
      ...packages.filter((name) => /^sluice(\/|$)/.test(name)),
    ].map((target) => `${path} imports ${target}`);
  });
  assertNone(wrong, 'What ships does not lean on its tests.');
});

test('every import of ours names a file that is there, with its extension', () => {
  const wrong = code.flatMap((path) =>
    importsOf(path)
      .ours.filter((target) => !existsSync(join(root, target)) || !/\.(ts|js|json|css)$/.test(target))
      .map((target) => `${path} imports ${target}`),
  );
  assertNone(wrong, 'Node runs the sources as they are: relative imports carry .ts.');
});

test('the top level holds only what the design names', () => {
  const folders = ['engine', 'extension', 'kernel', 'samples'];
  const documents = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md'];
  const settings = ['eslint.config.js', 'package-lock.json', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
  const allowed = new Set([...folders, ...documents, ...settings]);
  const entries = new Set(files.map((path) => path.split('/')[0] ?? ''));
  assertNone(
    [...entries].filter((entry) => !entry.startsWith('.') && !allowed.has(entry)),
    'extension, kernel, engine, samples, the documents, the settings of the tools, dotfiles; nothing else.',
  );
});

test('no file or folder is a home for the homeless', () => {
  const homeless =
    /^(utils?|helpers?|commons?|managers?|impl|misc|shared|stuff)$|(^|[-.])(utils?|helpers?|manager|impl)\b/i;
  assertNone(
    files.filter((path) => path.split('/').some((part) => homeless.test(part))),
    'A homeless function is a concept without a name yet.',
  );
});

test('file names are kebab-case', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
  assertNone(
    code.filter((path) => !kebab.test(basename(path))),
    'A file is the one thing it exports, in kebab-case.',
  );
});

test('the first line of every file says what the file means', () => {
  const scripts = files.filter((path) => /^\.ci\/.*\.[jt]s$/.test(path));
  const wrong = [...code, ...scripts, 'eslint.config.js', 'vitest.config.ts'].filter((path) => {
    const [first = ''] = textOf(path).split('\n');
    return !/^\/\/ (\S.{19,}|%%)/.test(first);
  });
  assertNone(wrong, 'The first line is a comment of a sentence: what the file means.');
});

/** Where `kind` is that of something else, or each kind of the table has code of its own. */
const mayNameKinds: Readonly<Record<string, string>> = {
  'engine/graph/': 'the table itself, and plans',
  'engine/api/': 'makes the nodes',
  'engine/formats/': 'types of schemas',
  'kernel/topics/': 'types of rows',
  'engine/runtime/task.ts': 'the call that a task is in',
  'engine/runtime/fuse.ts': 'generates the code of each stage',
  'kernel/executor/executor.ts': 'makes the operators of the host',
  'kernel/executor/runs.ts': 'reads a parameter that only `take` has',
};

test('what is true of a kind of operator stands in the table of kinds', () => {
  const names = new Set(Object.keys(kinds));
  const wrong = layered
    .filter((path) => !Object.keys(mayNameKinds).some((prefix) => path.startsWith(prefix)))
    .flatMap((path) =>
      [...textOf(path).matchAll(/\bkind\)? [!=]== '(\w+)'/g)]
        .filter(([, name]) => name !== undefined && names.has(name))
        .map(([text]) => `${path}: ${text}`),
    );
  assertNone(wrong, 'Give the kind a trait in engine/graph/kinds.ts, and ask the table.');
});

const maxFileLines = 400;
const maxClassLines = 300;
/** The public contract is one file, so that it can be read from top to bottom. */
const publicContract = 'engine/api/surface.ts';

function isLong(path: string): boolean {
  return textOf(path).split('\n').length > maxFileLines + 1;
}

/** Of engine and kernel in every language, such as Java. */
const sources = [
  ...code,
  ...files.filter((path) => /^(engine|kernel)\/.*\.(js|mjs|cjs|java|css|html|sql|proto|sh|xml)$/.test(path)),
].filter((path) => !/\/(test|fixtures)\//.test(path));

test('no file over 400 lines outside tests but the public contract', () => {
  const wrong = sources.filter((path) => path !== publicContract && isLong(path));
  assertNone(wrong, 'A file over 400 lines holds more than one concept. Split it.');
});

test('a test file over 400 lines says in its first line why it is one file', () => {
  const wrong = code.filter((path) => {
    const first = textOf(path).split('\n', 1)[0] ?? '';
    return path.includes('/test/') && isLong(path) && !/\b(one|single|whole|all|every)\b/i.test(first);
  });
  assertNone(wrong, 'The first line of a test file over 400 lines says why it is one file. Or split it.');
});

test('no class over 300 lines outside tests', () => {
  const wrong = code
    .filter((path) => !path.includes('/test/'))
    .flatMap((path) => classesOf(path).map((found) => ({ path, ...found })))
    .filter(({ lines }) => lines > maxClassLines)
    .map(({ path, name, lines }) => `${name} of ${path} has ${lines} lines`);
  assertNone(wrong, 'A class over 300 lines has more than one concern. Split it.');
});

/** The classes of a file, with their lines from the first keyword to the last brace. */
function classesOf(path: string): { readonly name: string; readonly lines: number }[] {
  const source = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true);
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const found: { readonly name: string; readonly lines: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassLike(node))
      found.push({
        name: node.name?.text ?? 'A class without a name',
        lines: lineAt(node.end) - lineAt(node.getStart(source)) + 1,
      });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test('no file names a registry, a path of somebody’s machine or a placeholder for work to come', () => {
  const forbidden: readonly (readonly [string, RegExp])[] = [
    ['a package registry', /https?:\/\/[^/\s'"]*(registry|npmjs|artifactory|nexus|verdaccio)[^\s'"]*/i],
    ['a lock entry with an address', /^\s*"resolved":\s*"https?:/m],
    ['a path of somebody’s machine', /(?<![\w.$}])\/(?:work|root|Users|home\/(?!user\b|you\b|me\b|ann\b))\/?[\w.-]+/],
    ['a placeholder', /\b(?:TODO|FIXME|XXX)\b/],
  ];
  const self = posix.join('kernel', 'test', 'architecture.test.ts');
  const wrong = files
    .filter((path) => path !== self && !/\.(png|gif|svg|vsix|jar)$/.test(path) && !path.startsWith('samples/data/'))
    .flatMap((path) => {
      const text = textOf(path);
      return forbidden.flatMap(([what, pattern]) => {
        const found = pattern.exec(text);
        return found ? [`${path} contains ${what}: ${found[0]}`] : [];
      });
    });
  assertNone(wrong, 'The tree is the same on every machine.');
});

/**
 * Files that may read the clock: sources and sinks, the scheduler, and the clock itself. Other
 * files get the time as an argument.
 */
const edges = [
  'engine/contract/clock.ts',
  'engine/runtime/',
  'engine/registry/',
  'engine/commits/',
  'engine/connectors/',
  'engine/testing/',
  'engine/api/',
];

test('no operator, window, state or time rule looks at the wall clock or rolls a die', () => {
  const wall =
    /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\bprocess\.hrtime\b|\bset(?:Timeout|Interval)\(/;
  const wrong = shipped
    .filter((path) => path.startsWith('engine/') && !edges.some((edge) => path.startsWith(edge)))
    .filter((path) => wall.test(textOf(path)));
  assertNone(wrong, 'Time and randomness come from the task’s Clock and Random.');
});

/**
 * mapAsync calls user code through this file. It is the only asynchronous entry of the operators.
 */
const asynchronousEntry = 'engine/operators/outside-call.ts';

test('operators, windows, state and formats hold no promise', () => {
  const asynchronous = /\basync\b(?! iter)|\bawait\b|\bPromise\b/;
  const wrong = shipped
    .filter((path) =>
      /^engine\/(aggregates|cep|contract|formats|operators|process|state|tables|time|windows)\//.test(path),
    )
    .filter((path) => path !== asynchronousEntry)
    .filter((path) => asynchronous.test(withoutTexts(withoutComments(textOf(path)))));
  assertNone(wrong, 'No promise on the record path.');
});

/** mapAsync is the name of an operator and of its file. */
function withoutTexts(text: string): string {
  return text.replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
