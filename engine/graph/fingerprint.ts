// Fingerprints: a short hash of the identity of a function or a value. It is the same in every
// process that evaluates the same text.
//
// JavaScript cannot look into a closure, so the compiler of a function declares its captures
// (`annotateFunction`). The hash covers the function's text, and through the captures the values of
// everything that it can reach. The text is hashed unchanged. If the compiler drops comments, a
// change of a comment changes no hash.
import { hash } from 'node:crypto';
import { types } from 'node:util';
import type { Json } from './spec.ts';

export type Captured = () => readonly unknown[];
const capturedBy = new WeakMap<object, Captured>();

/**
 * Declares the captures of a function literal, or of an object literal with functions. The values
 * are read when a hash is taken, not now.
 */
export function annotateFunction<F extends object>(fn: F, captured: Captured): F {
  capturedBy.set(fn, captured);
  return fn;
}

/**
 * An object with this method is hashed as the method's result: a stream as its endpoint, not as its
 * fields.
 */
export const fingerprintAs: unique symbol = Symbol('sluice.fingerprintAs');

/**
 * A stable hash of data, functions and other values that a function may capture. Cycles are safe.
 * For an opaque value (a function without annotation, and so an instance of a class), `fallback` is
 * part of the hash.
 */
export function hashValue(value: unknown, fallback?: string): string {
  const encoder = new Encoder();
  const out: string[] = [];
  encoder.write(value, out);
  return encoder.complete(digest(out), fallback);
}

export interface FunctionContext {
  /**
   * The object literal that has the function as a method. Its annotation is used for the function.
   */
  readonly owner?: object;
  /** Replaces the captured values where there is no annotation. */
  readonly fallback?: string | undefined;
}
export function functionHash(fn: object, { owner, fallback }: FunctionContext = {}): string {
  const encoder = new Encoder();
  return encoder.complete(encoder.function(fn, owner), fallback);
}

/**
 * The hash of a node's work: kind, parameters, function texts and captures. The uid is not part of
 * it, so an equal chain elsewhere has the same hash.
 */
export function ownHash(kind: string, parameters: Json): string {
  return hashValue([kind, withoutUids(parameters)]);
}

/** The hash of the form of a node's state. */
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

/** A captured client or module can reach half the heap. After this many values, hashing stops. */
const budget = 2_000_000;
/** Deeper parts of a value are opaque: an unbounded walk would overflow the stack. */
const deepest = 600;

/**
 * Writes a value as unambiguous text. Functions are hashed one by one, so a function shared by many
 * is visited once.
 */
class Encoder {
  readonly #hashes = new Map<object, string>();
  /**
   * The objects that contain the current value, with their depth. A cycle is written as the
   * distance back to its object.
   */
  readonly #open = new Map<object, number>();
  /**
   * The depth of the outermost open object to which the text since then refers back. The hash of a
   * function inside it depends on that object, so it is not kept.
   */
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
    if (--this.#left < 0 || this.#open.size >= deepest) {
      out.push('…');
      this.#isOpaque = true;
      return;
    }
    this.#open.set(value, this.#open.size);
    try {
      body();
    } catch (error) {
      // A trap that throws, or a Proxy that was revoked.
      if (!types.isProxy(value)) throw error;
      out.push('?');
      this.#isOpaque = true;
    }
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
      // A constant below its first use: the function may be declared before the value exists.
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
