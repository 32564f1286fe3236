// Compiles a function again from its source text, so that V8 optimises each copy separately. Calls
// inside a copy have one target each, so V8 inlines them. Shared code that calls its arguments has
// many targets and is two to three times slower. The function itself is the plain form of its
// copies.
//
// A function may be copied only if it refers to globals and its arguments, and to nothing else. The
// text is ours; user code is passed as a value.

let copies = 0;

/**
 * A bundler that keeps names wraps functions in a call of `__name`, or of a shortened name. A copy
 * defines this function itself.
 */
const nameKeeper = /([\w$]+)\(\(\) ?=>/.exec(
  (() => {
    const named = (): number => 0;
    return named;
  }).toString(),
)?.[1];

export function fresh<F extends (...given: never[]) => unknown>(plain: F, label: string): F {
  return compiled<F>(`return ${plain.toString()}`, {}, label);
}

/** Compiles `body` as a function of the names in `scope`, and calls it with their values. */
export function compiled<R>(body: string, scope: Readonly<Record<string, unknown>>, label: string): R {
  const keeper = nameKeeper === undefined || nameKeeper in scope ? '' : `const ${nameKeeper} = (f) => f; `;
  // The number makes every text different. V8 shares type feedback between functions with equal
  // text.
  const text = `'use strict'; ${keeper}${body}\n//# sourceURL=sluice:${label.replace(/\s/g, '_')}:${++copies}`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- this file generates code
  return (new Function(...Object.keys(scope), text) as (...values: unknown[]) => R)(...Object.values(scope));
}
