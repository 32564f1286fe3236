// The id of a new cell: the first name that it declares if it is free, otherwise four random
// letters.
const declaration =
  /^[ \t]*(?:export\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|var|function\s*\*?|class|interface|type|enum)\s+([A-Za-z_][\w]*)/m;

export function newCellId(text: string, taken: ReadonlySet<string>, random: () => number): string {
  const declared = declaration.exec(text)?.[1];
  if (declared !== undefined && !taken.has(declared)) return declared;
  for (;;) {
    const letters = Array.from({ length: 4 }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('');
    if (!taken.has(letters)) return letters;
  }
}
