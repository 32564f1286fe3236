// Encodes values for the wire: JSON with three tags, so that dates, bigint and bytes keep their
// types.
// `toPlainJson` is the form of `--json`.

type Tagged = { readonly $date: number } | { readonly $bigint: string } | { readonly $bytes: string };

export function toWire(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return { $bigint: String(value) } satisfies Tagged;
  if (value instanceof Date) return { $date: value.getTime() } satisfies Tagged;
  if (value instanceof Uint8Array) return { $bytes: base64(value) } satisfies Tagged;
  if (value instanceof Map) return [...value].map(([key, inner]) => [toWire(key), toWire(inner)]);
  if (value instanceof Set) return [...value].map(toWire);
  if (Array.isArray(value)) return value.map((inner) => toWire(inner) ?? null);
  if (typeof value === 'object') return mapFields(value, toWire);
  return undefined;
}

export function fromWire(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(fromWire);
  const tagged = value as Partial<Record<'$date' | '$bigint' | '$bytes', never>>;
  if (typeof tagged.$date === 'number') return new Date(tagged.$date);
  if (typeof tagged.$bigint === 'string') return BigInt(tagged.$bigint);
  if (typeof tagged.$bytes === 'string') return Uint8Array.from(atob(tagged.$bytes), (c) => c.charCodeAt(0));
  return mapFields(value, fromWire);
}

/**
 * The form for other programs: dates as ISO strings, bigint as string, bytes as base64, undefined
 * left out.
 */
export function toPlainJson(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof Map) return [...value].map(([key, inner]) => [toPlainJson(key), toPlainJson(inner)]);
  if (value instanceof Set) return [...value].map(toPlainJson);
  if (Array.isArray(value)) return value.map((inner) => toPlainJson(inner) ?? null);
  if (typeof value === 'object') return mapFields(value, toPlainJson);
  return undefined;
}

function mapFields(value: object, convert: (inner: unknown) => unknown): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const converted = convert(inner);
    if (converted !== undefined) result[name] = converted;
  }
  return result;
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
