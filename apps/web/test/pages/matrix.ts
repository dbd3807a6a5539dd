/**
 * Every page × language × theme × size: no word in the console, nothing for axe to find, nothing wider than the
 * screen, first paint within a second, and a picture in apps/web/screenshots to look at.
 *
 * Loading takes most of the time, so a page is loaded twice for its six looks: on a phone, and on a desktop whose window is then
 * narrowed to a tablet's. The theme changes under the open page, as it does when a device goes dark in the evening.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWeb } from '../../build.ts';
import { distFolder, isStale } from '../../dist.ts';
import {
  axe,
  bestPaint,
  chromiumPath,
  type Look,
  launch,
  listen,
  NO_CHROMIUM,
  openContext,
  SIZES,
  type Size,
  settled,
} from '../browser.ts';
import { createMock, type Mock, type MockMode } from '../mock.ts';
import type { MockCaller } from '../mock-access.ts';

const quick = process.env.PAGES === 'quick';
const THEMES = ['light', 'dark'] as const;
/** Sizes that share a load, the first one loaded. */
const LOADS: readonly (readonly Size[])[] = [['phone'], ['desktop', 'tablet']];
const FOLDER = join(distFolder, '..', 'screenshots');

interface Place {
  readonly name: string;
  readonly path: string;
  readonly mode?: MockMode;
  /** Who is logged in; anna unless said. */
  readonly caller?: MockCaller;
  /** Moods of a page look alike in all languages; one of them is enough. */
  readonly only?: string;
  /** Faults that the browser itself reports of a server told to fail. */
  readonly noisy?: boolean;
  /** The page is meant to stay grey. */
  readonly grey?: boolean;
}

const MESSAGE = (meter: number) => `/meter/${meter}/messages/${String(meter).padStart(8, '0')}0000${'5ae1'.repeat(5)}`;
/** A request and its answer, as a log; and what is no hex. */
const EXCHANGE = `/explain?hex=${encodeURIComponent('TX 7EA0190321B6431AE6E600C001C1000F0000280000FF0700292D7E\nRX 7EA01721039A6FF9E6E700C401C100090547757275787E5F7E')}`;
const PLACES: readonly Place[] = [
  { name: 'street', path: '/' },
  { name: 'street-rows', path: '/?view=rows' },
  { name: 'street-new', path: '/?state=new' },
  { name: 'street-none', path: '/?q=nobody' },
  { name: 'street-areas', path: '/?by=feeder&open=1000.none' },
  { name: 'house', path: '/meter/7' },
  { name: 'house-week', path: '/meter/4/week/-2' },
  { name: 'house-month', path: '/meter/3/month/-1' },
  { name: 'house-year', path: '/meter/7/year/0' },
  { name: 'house-silent', path: '/meter/9' },
  { name: 'house-locked', path: '/meter/11' },
  { name: 'messages', path: '/meter/13/messages' },
  { name: 'message', path: MESSAGE(2) },
  { name: 'message-locked', path: MESSAGE(11) },
  { name: 'message-deciphered', path: MESSAGE(5) },
  { name: 'settings', path: '/meter/8/settings' },
  { name: 'wall', path: '/display?meter=7' },
  { name: 'wall-week', path: '/display/week/-2?meter=2' },
  { name: 'explain-exchange', path: EXCHANGE },
  { name: 'explain-none', path: '/explain?hex=nothing' },
  { name: 'login', path: '/login?next=%2Flog', caller: 'nobody' },
  { name: 'first', path: '/first', caller: 'new' },
  { name: 'account', path: '/account' },
  { name: 'completeness', path: '/completeness?under=1&rows=transformer' },
  { name: 'completeness-meter', path: '/completeness?rows=meter&meter=4&days=90', only: 'nb' },
  { name: 'completeness-empty', path: '/completeness', mode: 'empty', only: 'de' },
  { name: 'completeness-error', path: '/completeness', mode: 'error', noisy: true, only: 'nl' },
  { name: 'completeness-many', path: '/completeness?rows=meter', mode: 'many', only: 'en' },
  { name: 'log', path: '/log?run=7&id=1005' },
  { name: 'log-empty', path: '/log', mode: 'empty', only: 'nl' },
  { name: 'log-error', path: '/log', mode: 'error', noisy: true, only: 'de' },
  { name: 'log-refused', path: '/log', caller: 'nobody', noisy: true, only: 'nb' },
  { name: 'api', path: '/api#get-meters' },
  { name: 'house-reached', path: '/meter/4' },
  { name: 'street-guest', path: '/', caller: 'new', only: 'en' },
  { name: 'unknown-page', path: '/nowhere/at/all' },
  { name: 'unknown-meter', path: '/meter/999', noisy: true },
  { name: 'empty', path: '/', mode: 'empty' },
  { name: 'error', path: '/', mode: 'error', noisy: true },
  { name: 'loading', path: '/', mode: 'loading', grey: true },
  { name: 'many', path: '/', mode: 'many' },
];

/** All of some languages; a file for each two lets both cores work. PAGES=quick takes the first. */
export function matrix(all: readonly string[]): void {
  const languages = quick ? all.slice(0, 1) : all;
  describe.skipIf(!chromiumPath)(chromiumPath ? 'every page' : NO_CHROMIUM, () => {
    let browser: Browser;
    const mocks = new Map<string, { mock: Mock; base: string }>();
    const worldOf = (place: Place) => `${place.mode ?? 'live'} ${place.caller ?? 'anna'}`;
    beforeAll(async () => {
      if (isStale()) await buildWeb();
      mkdirSync(FOLDER, { recursive: true });
      for (const place of PLACES) {
        if (mocks.has(worldOf(place))) continue;
        const mock = createMock({ mode: place.mode ?? 'live', dist: distFolder });
        mock.state.caller = place.caller ?? 'anna';
        mocks.set(worldOf(place), { mock, base: await mock.listen() });
      }
      browser = await launch();
    });
    afterAll(async () => {
      await browser?.close();
      for (const { mock } of mocks.values()) await mock.close();
    });

    for (const language of languages)
      for (const sizes of LOADS) {
        const first = sizes[0] as Size;
        describe(`${language} ${sizes.join(', ')}, light and dark`, () => {
          let context: BrowserContext;
          beforeAll(async () => {
            context = await openContext(browser, { size: first, theme: 'light', language });
          });
          afterAll(() => context?.close());
          it.each(PLACES.filter((place) => !place.only || place.only === language || quick))('$name', async (place) => {
            const page = await context.newPage();
            try {
              const said = listen(page);
              const paint = await load(page, place);
              for (const size of sizes) {
                if (size !== first) await page.setViewportSize(SIZES[size]);
                for (const theme of THEMES) {
                  await page.emulateMedia({ colorScheme: theme });
                  await inspect(page, place, { size, theme, language });
                }
              }
              expect(said.filter((line) => !(place.noisy && line.includes('Failed to load resource')))).toEqual([]);
              // Last, for a busy machine that paints late hides nothing else then.
              expect(paint).toBeLessThan(1000);
            } finally {
              // An open page holds a live connection, and a browser has six of them for one server.
              await page.close();
            }
          });
        });
      }

    async function load(page: Page, place: Place): Promise<number> {
      const { base } = mocks.get(worldOf(place)) as { base: string };
      await page.goto(base + place.path);
      if (place.grey) await page.locator('.bone').first().waitFor();
      else await settled(page);
      return bestPaint(page);
    }

    async function inspect(page: Page, place: Place, look: Look): Promise<void> {
      const { language, theme, size } = look;
      if (!place.grey) await settled(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wide, `${theme} ${size}`).toBeLessThanOrEqual(0);
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
      await page.screenshot({ path: join(FOLDER, `${place.name}-${language}-${theme}-${size}.png`) });
      expect(await axe(page), `${theme} ${size}`).toEqual([]);
    }
  });
}
