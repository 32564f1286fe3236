// The package provides every value of the contract with the contract's type. The example cells
// (fixtures/) are compiled with this project.
import type * as contract from '../../api/surface.ts';
import type * as testing from '../../testing/surface.ts';
import type { Emitted } from '../../time/emitted.ts';
import * as sluice from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
type Provided = typeof sluice;
type Contract = typeof contract;

/**
 * A name that is missing, or has another type than in the contract, is an error below. Environment
 * is a class of its own.
 */
type Different = {
  [N in keyof Contract]: N extends keyof Provided
    ? Same<Provided[N], Contract[N]> extends true
      ? never
      : N
    : `missing: ${N}`;
}[Exclude<keyof Contract, 'Environment'>];
export const nothingDiffers: [Different] extends [never] ? true : Different = true;

export const provided: Contract = sluice;

/** Watermarks from combiners of watermarks have the same type in the engine and in the test kit. */
export const sameEmitted: Same<Exclude<Emitted, string>['watermark'], Exclude<testing.Emitted, string>['watermark']> =
  true;
