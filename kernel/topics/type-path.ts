// How a type that contains itself is named from within: Topics["tree"]["children"][number]. Each
// step keeps the objects only, because a field may be optional or null.
import { plain, type RowType, unknownType } from './row-type.ts';

/** undefined: no path leads there. */
export type TypePath = string | undefined;

export function pathOfTopic(topic: string): TypePath {
  return `Topics[${JSON.stringify(topic)}]`;
}
export function pathOfField(path: TypePath, name: string): TypePath {
  return path && `Extract<${path}[${JSON.stringify(name)}], object>`;
}
export function pathOfItems(path: TypePath): TypePath {
  return path && `Extract<${path}[number], object>`;
}
export function pathOfValues(path: TypePath): TypePath {
  return path && `Extract<${path}[string], object>`;
}
/** The member of a union, if it is the only object. */
export function pathOfMember(path: TypePath, isOnlyObject: boolean): TypePath {
  return isOnlyObject ? path : undefined;
}
export function typeAt(path: TypePath): RowType {
  return path === undefined ? unknownType : plain(path);
}
