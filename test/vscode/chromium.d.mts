import type { LaunchOptions } from 'playwright-core';

/** Playwright's launch options for the Chromium of this machine (installed first, where that is possible). */
export function chromiumOptions(): Promise<LaunchOptions>;
