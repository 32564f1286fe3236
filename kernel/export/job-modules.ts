// The modules that a job needs: the user's own files, which are compiled into it, packages, which
// are bundled, and modules of Node. What cannot go into a bundle is a problem with a place.
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { resolve as resolvePackage } from 'import-meta-resolve';
import ts from 'typescript';
import type { CellDiagnostic } from '../cells/compile.ts';
import type { TypedModule } from '../cells/language-service.ts';
import type { Resolution } from '../cells/resolution.ts';
import { compileModule } from '../cells/module-compile.ts';
import { isModuleSource, isRelative, packageName, resolveRelative } from '../cells/specifiers.ts';
import { lockedPackage } from './locked-packages.ts';
import { nativePart } from './native-part.ts';
import type { Statement } from './statements.ts';

/** A package, or a file that is bundled like one. */
export interface BundledModule {
  /** As the importing file writes it. */
  readonly specifier: string;
  /** The absolute path of the notebook, or of one of its modules. */
  readonly from: string;
  /** The absolute path of its file. */
  readonly path: string;
  /** The native part of its package, which stays a dependency of the job. */
  readonly native?: string;
  /** Where a cell imports it, or a module that imports it. */
  readonly place: Pick<CellDiagnostic, 'cell' | 'offset' | 'length' | 'line' | 'column'>;
}
export interface JobModules {
  /** As the cells write them. */
  readonly specifiers: readonly string[];
  /** Absolute paths of the user's modules. */
  readonly files: readonly string[];
  readonly bundled: readonly BundledModule[];
  readonly problems: readonly ModuleProblem[];
}
export interface ModuleProblem {
  readonly cell: number;
  /** Of the specifier in the module. */
  readonly offset: number;
  readonly length: number;
  readonly message: string;
}

const own = 'sluice';
const testKit = 'sluice/testing';

/** `statements`: those that the job keeps. */
export function jobModules(
  notebook: string,
  statements: readonly Statement[],
  { imports }: Resolution,
  typed: TypedModule,
): JobModules {
  const files = new Set<string>();
  const bundled = new Map<string, BundledModule>();
  const specifiers = new Set<string>();
  const problems: ModuleProblem[] = [];
  for (const place of importPlaces(statements, imports, typed)) {
    const { specifier } = place;
    const report = (message: string): void => void problems.push({ ...place, message });
    if (specifier === undefined) {
      report('This import() computes the name of its module, so it cannot be bundled. Write the name as a text.');
      continue;
    }
    specifiers.add(specifier);
    const { cell, offset } = typed.module.toCell(place.offset)!;
    const { line, column } = typed.module.lines(cell).position(offset);
    const id = typed.module.cells[cell]!.id;
    const at = { cell: id, offset, length: place.length, line: line + 1, column: column + 1 };
    visitModule({ specifier, from: notebook }, { files, bundled, report, place: at });
  }
  return { specifiers: [...specifiers], files: [...files], bundled: [...bundled.values()], problems };
}

interface ImportPlace {
  readonly specifier: string | undefined;
  readonly cell: number;
  readonly offset: number;
  readonly length: number;
}

function importPlaces(
  statements: readonly Statement[],
  imports: Resolution['imports'],
  typed: TypedModule,
): readonly ImportPlace[] {
  const { module, source } = typed;
  return statements.flatMap(({ cell, node }): ImportPlace[] => {
    const placeOf = (at: ts.Node, specifier: string | undefined): ImportPlace => ({
      ...{ specifier, cell, offset: at.getStart(source), length: at.getWidth(source) },
    });
    if (ts.isImportDeclaration(node)) {
      const at = module.toCell(node.moduleSpecifier.getStart(source));
      const isForTypes = imports.some(
        (one) => one.isForTypes && one.at.cell === at?.cell && one.at.offset === at.offset,
      );
      return isForTypes || !ts.isStringLiteral(node.moduleSpecifier)
        ? []
        : [placeOf(node.moduleSpecifier, node.moduleSpecifier.text)];
    }
    const calls: ImportPlace[] = [];
    const visit = (inner: ts.Node): void => {
      if (ts.isCallExpression(inner) && inner.expression.kind === ts.SyntaxKind.ImportKeyword) {
        const [name] = inner.arguments;
        calls.push(placeOf(inner, name && ts.isStringLiteralLike(name) ? name.text : undefined));
      }
      ts.forEachChild(inner, visit);
    };
    visit(node);
    return calls;
  });
}

type Import = Pick<BundledModule, 'specifier' | 'from'>;
interface Found {
  readonly files: Set<string>;
  readonly bundled: Map<string, BundledModule>;
  readonly report: (message: string) => void;
  readonly place: BundledModule['place'];
}

function visitModule({ specifier, from }: Import, found: Found): void {
  if (specifier === own || isBuiltin(specifier)) return;
  if (specifier === testKit)
    return found.report('"sluice/testing" is for tests, and a job has no tests. Remove the import.');
  if (!isRelative(specifier)) return visitPackage({ specifier, from }, found);
  const path = resolveRelative(specifier, from);
  if (path === undefined || found.files.has(path)) return;
  if (['.node', '.wasm'].includes(extname(path)))
    return found.report(`"${specifier}" cannot be bundled: it is no JavaScript. Import a module without native parts.`);
  if (!isModuleSource(path)) return addBundled(found, { specifier, from, path });
  found.files.add(path);
  // Of its compiled text, because that imports no types.
  const compiled = compileModule(path, readFileSync(path, 'utf8'));
  if ('error' in compiled) return found.report(`"${specifier}" has an error of syntax: ${compiled.error.message}`);
  for (const inner of [...compiled.specifiers, ...compiled.later]) visitModule({ specifier: inner, from: path }, found);
}

function visitPackage({ specifier, from }: Import, found: Found): void {
  let path: string;
  try {
    path = fileURLToPath(resolvePackage(specifier, pathToFileURL(from).href));
  } catch {
    const name = packageName(specifier);
    return found.report(`"${specifier}" cannot be bundled: it is not installed. npm install ${name}`);
  }
  const native = nativePart(path);
  if (native === undefined) return addBundled(found, { specifier, from, path });
  const locked = lockedPackage(path);
  if ('problem' in locked)
    return found.report(`"${specifier}" has a native part, so it stays a dependency of the job. ${locked.problem}`);
  addBundled(found, { specifier, from, path, native });
}

function addBundled({ bundled, place }: Found, module: Omit<BundledModule, 'place'>): void {
  bundled.set(`${module.specifier}\0${module.from}`, { ...module, place });
}
