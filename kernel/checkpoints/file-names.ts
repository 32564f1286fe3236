// The names of a state directory. A file with another name is not ours and is never touched.
//
//   checkpoint-00000012.manifest       names everything that checkpoint 12 needs
//   checkpoint-00000012.data           the segments that checkpoint 12 added
//   next-id                            the next id, when no file shows the last one
//   summary.json                       for editors: kernel/client/state-summary.ts
//   noted-runs.json                    runs after the last checkpoint: kernel/server/noted-runs.ts
//   lock, owner.json                   directory-lock.ts
//   *.tmp                              the beginning of a file that gets its name when it is whole

export const nextIdName = 'next-id';
/** The store only removes these, with a folder that is too old. */
export const namesOfOthers = ['summary.json', 'noted-runs.json'] as const;

export type FileKind = 'manifest' | 'data' | 'manifest.tmp';

export function fileName(id: number, kind: FileKind): string {
  return `checkpoint-${String(id).padStart(8, '0')}.${kind}`;
}

/** undefined: the file is none of a checkpoint. */
export function parsedName(name: string): { readonly id: number; readonly kind: FileKind } | undefined {
  const match = /^checkpoint-(\d{8,15})\.(manifest|data|manifest\.tmp)$/.exec(name);
  if (!match) return undefined;
  const id = Number(match[1]);
  const kind = match[2] as FileKind;
  return fileName(id, kind) === name ? { id, kind } : undefined;
}

/** In the order in which they are removed: manifests first, the oldest before the others. */
export function inOrderOfRemoval(names: Iterable<string>): string[] {
  const rank = (name: string): number => (parsedName(name)?.kind === 'manifest' ? 0 : 1);
  return [...names].toSorted((a, b) => rank(a) - rank(b) || (parsedName(a)?.id ?? 0) - (parsedName(b)?.id ?? 0));
}
