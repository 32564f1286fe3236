// The version of Sluice. A test compares it with package.json, so a running kernel reads no file
// for it.
export const build = '0.1.0';
