// The browser of the drawing tests. Without a browser the tests print a loud message, and fail
// where CI is set.
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';
import { reportSkipped } from '../../../.ci/in-ci.ts';

const places = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

export const browserPath = places.find((place) => place !== '' && existsSync(place));

export function skipWithoutBrowser(): boolean {
  if (browserPath !== undefined) return false;
  reportSkipped('NO TESTS OF DRAWING: no Chromium here. Install chromium, or set CHROMIUM to its path.');
  return true;
}

export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
  // A wait ends when its event comes, and the machine may be busy.
  browser.on('context', (context) => context.setDefaultTimeout(120_000));
  return browser;
}
