// The modules that cells import, as they are on the disk of the notebook now. Helper modules are
// compiled; packages are found from the notebook's folder, because Node would search from ours.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { resolve as resolvePackage } from 'import-meta-resolve';
import { SluiceError } from '../../engine/errors/error.ts';
import type { ModuleFiles, ModuleSource, Namespace } from './module-files.ts';
import { versionOfPackage } from './package-version.ts';
import { isRelative, packageName, resolveRelative } from './specifiers.ts';
import { TextLines } from './text-lines.ts';

/** `notebook`: its absolute path. */
export function diskModules(notebook: string): ModuleFiles {
  const sources = new Map<string, ModuleSource>();
  return {
    resolve: resolveRelative,
    async source(path) {
      const text = readFileSync(path, 'utf8');
      const hash = hashOf(text);
      const known = sources.get(path);
      if (known?.hash === hash) return known;
      const source = await compiledSource(path, text);
      sources.set(path, source);
      return source;
    },
    async load(specifier, from) {
      if (isRelative(specifier)) return createRequire(from)(resolveRelative(specifier, from)!) as Namespace;
      return (await import(findPackage(specifier, from, dirname(notebook)))) as Namespace;
    },
    versionOf(specifier, from) {
      try {
        if (isRelative(specifier)) return hashOf(readFileSync(resolveRelative(specifier, from)!));
        return versionOfPackage(fileURLToPath(findPackage(specifier, from, dirname(notebook))));
      } catch {
        return undefined;
      }
    },
  };
}

/** Error: `syntax`, with the place. */
export async function compiledSource(path: string, text: string): Promise<ModuleSource> {
  // The compiler is loaded with the first helper, because most notebooks have none.
  const { compileModule } = await import('./module-compile.ts');
  const compiled = compileModule(path, text);
  if ('error' in compiled) {
    const lines = new TextLines(text);
    const { line, column } = lines.position(compiled.error.offset);
    const place = { file: path, line: line + 1, column: column + 1, excerpt: lines.line(line) };
    throw new SluiceError('syntax', `${path}:${place.line}:${place.column}: ${compiled.error.message}`, { place });
  }
  return { path, hash: hashOf(text), ...compiled };
}
function hashOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('base64url');
}

function findPackage(specifier: string, from: string, folder: string): string {
  try {
    return resolvePackage(specifier, pathToFileURL(from).href);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const name = packageName(specifier);
    if (code === 'ERR_MODULE_NOT_FOUND' && !specifier.startsWith('#') && message.includes(`'${name}'`))
      throw new SluiceError('missing-module', `Cannot find "${name}". npm install ${name} in ${folder}`, {
        package: name,
        folder,
      });
    throw new SluiceError('missing-module', `Cannot import "${specifier}": ${message}.`, {}, { cause: error });
  }
}
