// A function compiled anew from its source, so that V8 learns about this copy alone: the calls inside it see one target each and are inlined.
// Shared code that calls what it is given sees many targets and stays two to three times slower. The function itself is the plain form of its copies.
//
// Only for functions that refer to nothing outside themselves but globals: what they need they get as arguments. The text is ours; user code is passed as a value.

let copies = 0;

/** A bundler that keeps names puts a call around functions, `__name` or what that is shortened to. A copy brings its own. */
const nameKeeper = /([\w$]+)\(\(\) ?=>/.exec(
  (() => {
    const named = (): number => 0;
    return named;
  }).toString(),
)?.[1];

export function fresh<F extends (...given: never[]) => unknown>(plain: F, label: string): F {
  return compiled<F>(`return ${plain.toString()}`, {}, label);
}

/** `body` as a function of the names in `scope`, called with their values. */
export function compiled<R>(body: string, scope: Readonly<Record<string, unknown>>, label: string): R {
  const keeper = nameKeeper === undefined || nameKeeper in scope ? '' : `const ${nameKeeper} = (f) => f; `;
  // The number makes every text different: V8 shares what it has learned between functions of the same text.
  const text = `'use strict'; ${keeper}${body}\n//# sourceURL=sluice:${label.replace(/\s/g, '_')}:${++copies}`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- generated code is the point of this file
  return (new Function(...Object.keys(scope), text) as (...values: unknown[]) => R)(...Object.values(scope));
}
