// The modules of Sluice that a cell can import: `sluice` and `sluice/testing`. No other shipped
// file imports the test kit.
import * as sluice from '../../engine/index.ts';
import * as testing from '../../engine/testing/index.ts';

/** Makes the exports of each module, by the name that a cell imports. */
export const ownModules: Readonly<Record<string, () => Record<string, unknown>>> = {
  sluice: () => ({ ...sluice }),
  'sluice/testing': () => ({ ...testing }),
};
