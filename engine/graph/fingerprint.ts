// Fingerprints: what a function or a value *is*, as a short hash that is the same in every process that evaluates the same text.
//
// JavaScript cannot look into a closure, so whoever compiled a function says what it captures (`annotateFunction`); the hash covers the function's text
// and, through that, the values of everything it can reach. The text counts as it is: a compiler that drops comments makes comments cost nothing.
import { hash } from 'node:crypto';
import type { Json } from './spec.ts';

export type Captured = () => readonly unknown[];
const capturedBy = new WeakMap<object, Captured>();

/** Says what a function literal (or an object literal that holds functions) captures. The values are read when a hash is taken, not now. */
export function annotateFunction<F extends object>(fn: F, captured: Captured): F {
  capturedBy.set(fn, captured);
  return fn;
}

/** An object with this method is hashed as what the method returns: streams are their endpoint, not their fields. */
export const fingerprintAs: unique symbol = Symbol('sluice.fingerprintAs');

/**
 * Stable hash of data, functions and whatever else a function may capture; cycles are safe. Where it meets something that it cannot look
 * into (a function nobody annotated, and so an instance of a class), `fallback` is part of the hash.
 */
export function hashValue(value: unknown, fallback?: string): string {
  const encoder = new Encoder();
  const out: string[] = [];
  encoder.write(value, out);
  return encoder.complete(digest(out), fallback);
}

export interface FunctionContext {
  /** The object literal the function is a method of: its annotation stands for the function's. */
  readonly owner?: object;
  /** Stands for the captured values where nobody said what they are. */
  readonly fallback?: string | undefined;
}
export function functionHash(fn: object, { owner, fallback }: FunctionContext = {}): string {
  const encoder = new Encoder();
  return encoder.complete(encoder.function(fn, owner), fallback);
}

/** Hash of what a node does: kind, parameters, function texts and captures, but not its uid, so that the same chain elsewhere is the same. */
export function ownHash(kind: string, parameters: Json): string {
  return hashValue([kind, withoutUids(parameters)]);
}

/** Hash of what a node's state looks like. */
export function shapeHash(...parts: readonly Json[]): string {
  return hashValue(withoutUids(parts));
}

function withoutUids(value: Json): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutUids);
  const fields = Object.entries(value as Record<string, Json | undefined>).filter(([, inner]) => inner !== undefined);
  const isReference = fields.length === 3 && 'uid' in value && 'slot' in value && 'textHash' in value;
  return Object.fromEntries(
    fields.filter(([name]) => !(isReference && name === 'uid')).map(([name, inner]) => [name, withoutUids(inner!)]),
  );
}

function digest(parts: readonly string[]): string {
  return hash('sha256', parts.join(''), 'base64url').slice(0, 16);
}

/** A captured client or module can reach half the heap; past this many values we stop looking. */
const budget = 2_000_000;

/** Writes a value as unambiguous text. Functions are hashed one by one, so that a helper shared by many is visited once. */
class Encoder {
  readonly #hashes = new Map<object, string>();
  /** The objects we are inside of, with their depth: a cycle is written as the distance back to where it closes. */
  readonly #open = new Map<object, number>();
  /** The outermost open object that what was written since refers back to. A function above it has no hash of its own to remember. */
  #outermost = Infinity;
  #left = budget;
  #isOpaque = false;

  complete(result: string, fallback: string | undefined): string {
    return this.#isOpaque && fallback !== undefined ? digest([result, '~', fallback]) : result;
  }

  write(value: unknown, out: string[]): void {
    switch (typeof value) {
      case 'string':
        out.push(JSON.stringify(value));
        return;
      case 'number':
        out.push('n', Object.is(value, -0) ? '-0' : String(value), ';');
        return;
      case 'boolean':
      case 'undefined':
        out.push(String(value), ';');
        return;
      case 'bigint':
        out.push('i', String(value), ';');
        return;
      case 'symbol':
        out.push('y', JSON.stringify(value.description ?? ''));
        return;
      case 'function':
        out.push('f', this.function(value), ';');
        return;
      case 'object':
        if (value === null) out.push('null;');
        else this.#enter(value, out, () => this.#object(value, out));
    }
  }

  function(fn: object, owner?: object): string {
    const remembered = this.#hashes.get(fn);
    if (remembered !== undefined) return remembered;
    const out: string[] = [];
    const depth = this.#open.size;
    const outermostBefore = this.#outermost;
    this.#outermost = Infinity;
    this.#enter(fn, out, () => this.#functionBody(fn, owner, out));
    const result = digest(out);
    if (this.#outermost >= depth) {
      this.#hashes.set(fn, result);
      this.#outermost = Infinity;
    }
    this.#outermost = Math.min(outermostBefore, this.#outermost);
    return result;
  }

  #enter(value: object, out: string[], body: () => void): void {
    const depth = this.#open.get(value);
    if (depth !== undefined) {
      out.push('^', String(this.#open.size - depth), ';');
      this.#outermost = Math.min(this.#outermost, depth);
      return;
    }
    if (--this.#left < 0) {
      out.push('…');
      this.#isOpaque = true;
      return;
    }
    this.#open.set(value, this.#open.size);
    body();
    this.#open.delete(value);
  }

  #functionBody(fn: object, owner: object | undefined, out: string[]): void {
    out.push('F', JSON.stringify(Function.prototype.toString.call(fn).replaceAll('\r\n', '\n')));
    const base: unknown = Object.getPrototypeOf(fn);
    if (typeof base === 'function' && base !== Function.prototype) out.push('<', this.function(base));
    const captured = capturedBy.get(fn) ?? (owner && capturedBy.get(owner));
    if (captured) this.#captured(captured, out);
    else this.#isOpaque = true;
    this.#fields(fn, out);
  }

  #captured(captured: Captured, out: string[]): void {
    let values: readonly unknown[];
    try {
      values = captured();
    } catch (error) {
      // A constant below its first use: the function can be declared already, its value is not there yet.
      if (!(error instanceof ReferenceError)) throw error;
      out.push('?');
      return;
    }
    out.push('(');
    for (const value of values) this.write(value, out);
    out.push(')');
  }

  #object(value: object, out: string[]): void {
    if (fingerprintAs in value && typeof value[fingerprintAs] === 'function') {
      out.push('@');
      this.write((value[fingerprintAs] as () => unknown)(), out);
    } else if (Array.isArray(value)) this.#sequence('[', value, out);
    else if (value instanceof Date) out.push('d', String(value.getTime()), ';');
    else if (value instanceof RegExp) out.push('r', JSON.stringify(String(value)));
    else if (value instanceof Map) this.#sequence('M', [...value].flat(1), out);
    else if (value instanceof Set) this.#sequence('S', [...value], out);
    else if (ArrayBuffer.isView(value)) out.push('b', value.constructor.name, bytesOf(value));
    else if (value instanceof ArrayBuffer) out.push('b', bytesOf(new Uint8Array(value)));
    else this.#fieldsOfInstance(value, out);
  }

  #sequence(tag: string, values: readonly unknown[], out: string[]): void {
    out.push(tag);
    for (const value of values) this.write(value, out);
    out.push(']');
  }

  #fieldsOfInstance(value: object, out: string[]): void {
    const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null;
    if (prototype !== null && prototype !== Object.prototype && typeof prototype.constructor === 'function')
      out.push('C', this.function(prototype.constructor));
    if (value instanceof Error) out.push(JSON.stringify(value.message));
    out.push('{');
    this.#fields(value, out);
    out.push('}');
    const captured = capturedBy.get(value);
    if (captured) this.#captured(captured, out);
  }

  #fields(value: object, out: string[]): void {
    for (const name of Object.keys(value).sort()) {
      out.push(JSON.stringify(name));
      this.#field(value, name, out);
    }
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      out.push('y', JSON.stringify(symbol.description ?? ''));
      this.#field(value, symbol, out);
    }
  }

  #field(value: object, name: PropertyKey, out: string[]): void {
    let field: unknown;
    try {
      field = (value as Record<PropertyKey, unknown>)[name];
    } catch {
      // A getter that throws, or an export that is not initialised yet.
      out.push('?');
      return;
    }
    this.write(field, out);
  }
}

function bytesOf(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64') + ';';
}
