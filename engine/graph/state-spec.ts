// The keyed state that a process function declares, as plan data: one spec for each name.

/** One state of a process function, as plan data. */
export type StateSpec = {
  readonly kind: 'value' | 'list' | 'map';
  readonly ttlMillis?: number;
  readonly refresh?: 'write' | 'read-write';
};
/** By the name of the state. */
export type StateSpecs = { readonly [name: string]: StateSpec };
