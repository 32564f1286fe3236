// Sets a field that data or users have named. `__proto__` is a name like any other, so an assignment
// must not set the prototype.
export function setField(fields: object, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(fields, name, { value, writable: true, enumerable: true, configurable: true });
  else (fields as Record<string, unknown>)[name] = value;
}
