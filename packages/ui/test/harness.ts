/**
 * A whole Skein for browser tests: engine, worker and server over a Redis prefix of the test's own, the built dashboard,
 * and a browser that remembers what went wrong in its pages.
 */

import {
  type Engine,
  type SkeinServer,
  type SkeinWorker,
  openEngine,
  startServer,
  startWorker,
} from '@skein/orchestrator/runtime';
import { type Browser, type Locator, type Page, chromium } from 'playwright-core';

import { ensureChromium } from '../../../infra/embedded/src/chromium.ts';
import { testRedis } from '../../../infra/embedded/test-services/index.ts';
import { DIST, buildOnce } from './build-once.ts';
import { dashboardDeployment } from './deployment.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
/** As in the recipe: nothing that asks the network for anything. */
const CHROMIUM = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Skein {
  readonly url: string;
  readonly engine: Engine;
  readonly browser: Browser;
  /** A page of a browser of its own, with what went wrong in it. */
  page(options?: { theme?: 'light' | 'dark' }): Promise<Page>;
  /** Errors of scripts and requests to other hosts, of all pages so far. */
  readonly faults: readonly string[];
  api<T>(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<T>;
  close(): Promise<void>;
}

export async function openSkein(
  env: Record<string, string> = {},
  options: { readonly firstDay?: string } = {},
): Promise<Skein> {
  buildOnce();
  const redis = testRedis();
  const settings = {
    SKEIN_REDIS_URL: redis.url,
    SKEIN_REDIS_PREFIX: `{${redis.prefix}}`,
    SKEIN_PULSE_MS: '100',
    SKEIN_LEASE_MS: '3000',
    SKEIN_LEASE_RENEW_MS: '500',
    SKEIN_CANCEL_GRACE_MS: '500',
    ...env,
  };
  const deployment = dashboardDeployment(options.firstDay);
  const engine = await openEngine(deployment, { env: settings });
  const worker: SkeinWorker = await startWorker(engine, { log: SILENT, concurrency: 4 });
  // A fault of the server is a fault of the test, with its stack.
  const faults: string[] = [];
  const log = {
    ...SILENT,
    error: (message: string, facts?: object) => void faults.push(`${message} ${JSON.stringify(facts)}`),
  };
  const server: SkeinServer = await startServer(engine, { log, host: '127.0.0.1', port: 0, uiRoot: DIST });
  const executablePath = await ensureChromium(() => {});
  const browser = await chromium.launch({ executablePath, headless: true, args: CHROMIUM });
  return {
    url: server.url,
    engine,
    browser,
    faults,
    async page({ theme = 'light' } = {}) {
      const context = await browser.newContext({
        colorScheme: theme,
        reducedMotion: 'reduce',
        viewport: { width: 1360, height: 860 },
      });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('dialog', (dialog) => {
        faults.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => {
        if (
          !request.url().startsWith(server.url) &&
          !request.url().startsWith('blob:') &&
          !request.url().startsWith('data:')
        )
          faults.push(`asked for ${request.url()}`);
      });
      return page;
    },
    async api<T>(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
      const reply = await fetch(`${server.url}/api/v1${url}`, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = (await reply.json()) as T;
      if (!reply.ok) throw new TypeError(`${method} ${url}: ${JSON.stringify(answer)} ${faults.join('\n')}`);
      return answer;
    },
    async close() {
      await browser.close();
      await worker.stop(500);
      await server.close();
      const keys = await engine.redis.keys(`${settings.SKEIN_REDIS_PREFIX}*`);
      if (keys.length > 0) await engine.redis.del(...keys);
      await engine.close();
    },
  };
}

/** Polls until the value is wanted; fails after a minute. */
export async function until<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (Date.now() > deadline) throw new RangeError(`Not within a minute; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** More than any page needs: beyond it a control cannot be reached. */
const MOST_TABS = 150;

/** Goes to a control as a keyboard does, Tab by Tab from where the focus is; fails when it is not on the way. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.waitFor();
  for (let i = 0; i < MOST_TABS; i++) {
    await page.keyboard.press(key);
    if ((await target.and(page.locator(':focus')).count()) > 0) return;
  }
  throw new RangeError(`Not reached by ${MOST_TABS} presses of ${key}: ${String(target)}`);
}

/** Presses keys one after the other; `Tab*3` is three times. */
export async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const one of keys) {
    const [key = one, times = '1'] = one.split('*');
    for (let i = 0; i < Number(times); i++) await page.keyboard.press(key);
  }
}
