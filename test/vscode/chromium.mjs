import { ensureChromium } from './install.mjs';

/** Playwright's launch options for the Chromium of this machine (installed first, where that is possible). */
export async function chromiumOptions() {
  return {
    executablePath: await ensureChromium(),
    headless: true,
    // Chromium as root runs only without its sandbox; the pages are our own. No GPU, and no calls home.
    chromiumSandbox: false,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
}
