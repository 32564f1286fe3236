// Which Sluice this is. A test holds it to package.json; a running kernel reads no file for it.
export const build = '0.1.0';
