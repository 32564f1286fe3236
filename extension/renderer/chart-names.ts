// Names of fields for Vega and Vega-Lite. Both look names up in plain objects, and find what every
// object inherits under names such as `constructor`. An invisible character makes such a name a
// name like any other, in the spec and in the rows alike.

export function plainName(name: string): string {
  return Object.hasOwn(Object.prototype, name) ? `${name}\u200b` : name;
}

/** The spec with plain names wherever it names a field. */
export function withPlainNames<S>(spec: S): S {
  return plain(spec) as S;
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]: [string, unknown]) => [
      name,
      name === 'field' && typeof inner === 'string' ? plainName(inner) : plain(inner),
    ]),
  );
}
