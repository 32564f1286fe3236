// Terminal colours, if the terminal has them and the user allows them (https://no-color.org).
const isColoured = process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
const painter =
  (code: number) =>
  (text: string): string =>
    isColoured ? `\x1b[${code}m${text}\x1b[0m` : text;

export const paint = {
  dim: painter(2),
  red: painter(31),
  green: painter(32),
  yellow: painter(33),
  blue: painter(34),
};
