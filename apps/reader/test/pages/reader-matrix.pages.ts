/** The reader's pages in each language, theme and size once: nothing for axe to find, nothing wider than the screen, a picture to look at. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axe, chromiumPath, type Look, launch, listen, NO_CHROMIUM, openContext } from '../../../web/test/browser.ts';
import { hashPassword } from '../../src/setup/password.ts';
import { LIST_1, LIST_3, TELEGRAM } from '../gateways/fake.ts';
import { openWorld, PASSWORD, type World } from '../setup/world.ts';

const FOLDER = fileURLToPath(new URL('../../screenshots', import.meta.url));
const LOOKS: readonly Look[] = [
  { size: 'desktop', theme: 'light', language: 'en' },
  { size: 'desktop', theme: 'dark', language: 'nl' },
  { size: 'phone', theme: 'light', language: 'nb' },
  { size: 'phone', theme: 'dark', language: 'de' },
  { size: 'tablet', theme: 'dark', language: 'en' },
];

describe.skipIf(!chromiumPath)(chromiumPath ? "the reader's pages" : NO_CHROMIUM, () => {
  let browser: Browser;
  const worlds: Record<string, World> = {};
  beforeAll(async () => {
    mkdirSync(FOLDER, { recursive: true });
    browser = await launch();
    const hash = await hashPassword(PASSWORD);
    const base = `page.password=${hash}\npage.open-status=yes\nport.1.device=/dev/ttyUSB0\nport.2.device=192.168.1.20:3001\nport.2.name=p1\nmqtt.1.host=broker.lan\npost.1.url=https://central.example/api/v1/messages\n`;
    const at = Date.now();
    const now = (m: typeof LIST_3, ago: number) => ({ ...m, receivedAt: at - ago, time: at - ago });
    worlds.first = await openWorld();
    worlds.empty = await openWorld({ config: base });
    worlds.live = await openWorld({ config: base, before: [now(LIST_3, 600_000), now(TELEGRAM, 4000)] });
    worlds.ill = await openWorld({ config: base, before: [now(LIST_3, 3_600_000)] });
    for (let ago = 595_000; ago >= 0; ago -= 5000)
      worlds.live.fake().say({ ...now(LIST_1, ago), values: [Math.round(1500 + 1200 * Math.sin(ago / 40_000))] });
    const { state } = worlds.ill.fake();
    state.ports = state.ports.map((port) => ({
      ...port,
      state: 'down',
      fault: '/dev/ttyUSB0: there is no such device. The serial ports here are: /dev/ttyS0. Is the adapter plugged in?',
    }));
    state.uplinks = state.uplinks.map((uplink) => ({
      ...uplink,
      state: 'down',
      waiting: 1_234_567,
      fault: 'broker broker.lan:1883: nobody listens there; is it running, and is the port right?',
    }));
    state.spool = {
      ...state.spool,
      state: 'full',
      bytes: 9.9e8,
      fault: 'the disk is full',
      thinned: 120_000,
      dropped: 3,
    };
  });
  afterAll(async () => {
    await browser?.close();
    for (const world of Object.values(worlds)) await world.close();
  });

  const inspect = async (page: Page, name: string, { language, theme, size }: Look) => {
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
      name,
    ).toBeLessThanOrEqual(0);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
    await page.screenshot({ path: `${FOLDER}/${name}-${language}-${theme}-${size}.png`, fullPage: true });
    expect(await axe(page), name).toEqual([]);
  };

  it.each(LOOKS)('$language $theme $size', async (look) => {
    const context = await openContext(browser, look);
    try {
      const page = await context.newPage();
      const said = listen(page);
      const url = (world: string) => (worlds[world] as World).url;
      await page.goto(url('first'));
      await inspect(page, 'code', look);
      for (const world of ['empty', 'live', 'ill']) {
        await page.goto(url(world));
        await page.locator('body[data-ready]').waitFor();
        if (world === 'live') await page.locator('summary').first().click();
        await inspect(page, `status-${world}`, look);
      }
      await page.goto(`${url('live')}/login`);
      await page.fill('#secret', PASSWORD);
      await page.click('main button');
      await page.locator('body[data-ready]').waitFor();
      await page.goto(`${url('live')}/settings`);
      for (const more of await page.locator('summary').all()) if (await more.isVisible()) await more.click();
      await inspect(page, 'settings', look);
      expect(said).toEqual([]);
    } finally {
      await context.close();
    }
  });
});
