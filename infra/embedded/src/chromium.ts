/** Owns finding a browser for tests of the dashboard. */

import { ensureProgram } from './programs.ts';

/** @returns the executable @throws ServicesError with what to install */
export async function ensureChromium(progress: (line: string) => void): Promise<string> {
  const given = process.env.SKEIN_CHROMIUM;
  if (given) return given;
  // The headless shell first: it starts in 60 ms, the whole browser in 210.
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  return ensureProgram({ names, aptPackages: ['chromium-headless-shell'], purpose: 'Tests in a browser' }, progress);
}
