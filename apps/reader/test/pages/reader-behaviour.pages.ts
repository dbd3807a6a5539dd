/** What the reader's pages do in a real Chromium: first start, tests of connections, saving, live values, a line that breaks. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axe, chromiumPath, type Look, launch, listen, NO_CHROMIUM, openContext } from '../../../web/test/browser.ts';
import { hashPassword } from '../../src/setup/password.ts';
import { LIST_1, LIST_3 } from '../gateways/fake.ts';
import { CODE, openWorld, PASSWORD, type World } from '../setup/world.ts';

const DESKTOP: Look = { size: 'desktop', theme: 'light', language: 'en' };

describe.skipIf(!chromiumPath)(chromiumPath ? "the reader's pages" : NO_CHROMIUM, () => {
  let browser: Browser;
  const ends: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(() => browser?.close());
  const open = async (
    options: Parameters<typeof openWorld>[0] = {},
  ): Promise<{ world: World; page: Page; said: string[] }> => {
    const world = await openWorld(options);
    ends.push(() => world.close());
    const context = await openContext(browser, DESKTOP);
    ends.push(() => context.close());
    const page = await context.newPage();
    return { world, page, said: listen(page) };
  };
  const logIn = async (page: Page, world: World, secret = PASSWORD) => {
    await page.goto(world.url);
    await page.fill('#secret', secret);
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname !== '/login');
  };

  it('lead from the code on the console to a running reader, by the keyboard alone', async () => {
    const { world, page, said } = await open();
    await logIn(page, world, CODE);
    await page.locator('#f-page-password').focus();
    await page.keyboard.type(PASSWORD);
    await page.locator('#f-port-1-device').focus();
    await page.keyboard.type('127.0.0.1:1');
    await page.locator('[data-test="port.1"]').focus();
    await page.keyboard.press('Enter');
    await page.locator('.steps li.bad').waitFor();
    expect(await page.locator('.steps li').allTextContents()).toEqual([
      'Opening 127.0.0.1:1 …',
      'It does not work. 127.0.0.1:1: nobody listens there; is it running, and is the port right?',
    ]);
    expect(await page.locator('#unsaved').textContent()).toBe('Something was changed and is not saved yet.');
    await page.locator('.bar button').focus();
    await page.keyboard.press('Enter');
    await page.locator('.note.good').waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('note');
    expect(world.started.length).toBe(1);
    expect(said).toEqual([]);
  });

  it('put who mistyped where it is wrong, and keep what was typed', async () => {
    const { world, page } = await open();
    await logIn(page, world, CODE);
    await page.fill('#f-page-password', PASSWORD);
    await page.fill('#f-port-1-device', 'host:99999');
    await page.click('.bar button');
    await page.locator('.note.bad').waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('f-port-1-device');
    expect(await axe(page)).toEqual([]);
    await page.fill('#f-port-1-device', '/dev/a');
    await page.click('.bar button');
    // The password was typed once and never stood in the page again.
    await page.locator('.note.good').waitFor();
    expect(world.config()).toContain('page.password=$argon2id$');
  });

  it('show what a switch governs, change language and theme, and remember them', async () => {
    const { world, page } = await open({
      config: `page.password=${await hashPassword(PASSWORD)}\nport.1.device=/dev/a\n`,
    });
    await logIn(page, world);
    await page.goto(`${world.url}/settings`);
    expect(await page.locator('#f-modbus-port').isVisible()).toBe(false);
    await page.selectOption('#f-modbus-enabled', 'yes');
    expect(await page.locator('#f-modbus-port').isVisible()).toBe(true);
    expect(await page.locator('#f-port-1-meters').isVisible()).toBe(false);
    await page.selectOption('#f-port-1-protocol', 'mbus');
    expect(await page.locator('#f-port-1-meters').isVisible()).toBe(true);
    await page.selectOption('#f-port-1-protocol', 'p1');
    expect(await page.locator('#f-port-1-meters').isVisible()).toBe(false);
    // Leaving asks first, as something was changed.
    const asked = new Promise<string>((resolve) => {
      page.once('dialog', (dialog) => {
        resolve(dialog.type());
        void dialog.accept();
      });
    });
    await Promise.all([asked, page.goto(world.url)]);
    expect(await asked).toBe('beforeunload');
    await page.selectOption('select[name="theme"]', 'dark');
    await page.locator('html[data-theme="dark"]').waitFor();
    await page.selectOption('select[name="lang"]', 'nb');
    await page.locator('html[lang="nb"]').waitFor();
    expect(await page.locator('nav a').allTextContents()).toEqual(['Status', 'Innstillinger']);
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
  });

  it('draw new values as they come, keep what was opened open, and say when the reader is gone', async () => {
    const { world, page, said } = await open({
      config: `page.password=${await hashPassword(PASSWORD)}\nport.1.device=/dev/a\n`,
      before: [{ ...LIST_3, receivedAt: Date.now(), time: Date.now() }],
    });
    const say = (watts: number) =>
      world.fake().say({ ...LIST_1, values: [watts], receivedAt: Date.now(), time: Date.now() });
    await logIn(page, world);
    await page.locator('.watts').filter({ hasText: '948' }).waitFor();
    await page.locator('summary').first().click();
    await page.locator('tbody tr').first().waitFor();
    say(4321);
    await page.locator('.watts').filter({ hasText: '4,321' }).waitFor();
    expect(await page.locator('tbody tr').first().isVisible()).toBe(true);
    expect(said).toEqual([]);
    await world.close();
    await page.locator('.line.gone').waitFor();
  });
});
