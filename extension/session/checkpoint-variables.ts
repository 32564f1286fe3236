// The settings of checkpoints as variables of a kernel's environment. The reader of summaries uses
// the same ones, so that both look into the same folder.
import { homedir } from 'node:os';
import { resolve } from 'node:path';

/** `get` reads a setting of `sluice`. */
export type ReadSetting = <T>(name: string, byDefault: T) => T;

export function checkpointVariables(get: ReadSetting): Record<string, string> {
  const directory = get('checkpoints.directory', '').trim();
  const variables: Record<string, string> = {};
  if (!get('checkpoints.enabled', true)) variables['SLUICE_CHECKPOINTS'] = 'off';
  if (directory !== '') variables['SLUICE_STATE'] = resolve(homedir(), directory.replace(/^~(?=$|[\\/])/, homedir()));
  for (const [setting, name, byDefault] of numbers) {
    const value = get(`checkpoints.${setting}`, byDefault);
    if (value > 0 && value !== byDefault) variables[name] = String(value);
  }
  return variables;
}

/**
 * With the kernel's own defaults. They are not handed over, so that the environment can set others.
 */
const numbers: readonly (readonly [setting: string, variable: string, byDefault: number])[] = [
  ['intervalSeconds', 'SLUICE_CHECKPOINT_SECONDS', 10],
  ['maxMegabytes', 'SLUICE_STATE_MEGABYTES', 2048],
  ['maxDays', 'SLUICE_STATE_DAYS', 30],
];
