// The kinds of tests, by folder. vitest.config.ts makes a project of each kind, and .ci/test.ts
// runs them in this order.

/** Tests that need something real lie in folders of these names. All others are unit tests. */
export const integrationKinds = ['session-live', 'cli', 'server', 'browser', 'kafka', 'vscode'] as const;

export type Kind = 'unit' | (typeof integrationKinds)[number];

export const testFiles = '{engine,kernel,extension}/**/*.test.ts';

/** The test files of one integration kind. */
export function filesOf(kind: (typeof integrationKinds)[number]): string {
  return `{engine,kernel,extension}/**/test/${kind}/**/*.test.ts`;
}

export function kindOf(path: string): Kind {
  return integrationKinds.find((kind) => path.includes(`/test/${kind}/`)) ?? 'unit';
}

/** Limits of one test or one hook. A busy machine may be five times slower than an idle one. */
export const limitSeconds = { unit: 180, integration: 1_200 } as const;
