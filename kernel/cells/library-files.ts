// The places of type declarations: TypeScript's own, and those of the package `sluice`.
// In a packed build they lie beside the bundle. From sources they lie in their packages and
// folders.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface LibraryFiles {
  /** Holds `lib.*.d.ts`. */
  readonly libFolder: string;
  readonly sluice: string;
  readonly testing: string;
}

/**
 * `libFolder` is the folder of TypeScript's declarations in a packed extension. The declarations of
 * `sluice` lie in its parent folder.
 */
export function libraryFiles(libFolder?: string): LibraryFiles {
  const here = import.meta.dirname;
  const packed = libFolder ?? join(here, 'ts-lib');
  if (existsSync(join(packed, 'lib.es5.d.ts')) && existsSync(join(dirname(packed), 'sluice.d.ts')))
    return {
      libFolder: packed,
      sluice: join(dirname(packed), 'sluice.d.ts'),
      testing: join(dirname(packed), 'testing.d.ts'),
    };
  return {
    libFolder: libFolder ?? dirname(createRequire(import.meta.url).resolve('typescript')),
    sluice: join(here, '../../engine/api/surface.ts'),
    testing: join(here, '../../engine/testing/surface.ts'),
  };
}
