// Names of a .proto file, as protobufjs can hold them. It leaves out what is called `__proto__`,
// and takes a package `constructor` for the one that every object has.
import { heldNames } from './held-names.ts';

const names = heldNames([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

/** The text of a file, with names that are no names of every object. */
export const withHeldNames = names.held;
/** A name, or a full name with its dots, as the file has it. */
export const nameInFile = names.original;
