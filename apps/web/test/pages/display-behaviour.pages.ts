/** The wall display in a real Chromium: keys, encoder, words typed, refreshing, and a server that goes away. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildWeb } from '../../build.ts';
import { distFolder, isStale } from '../../dist.ts';
import { axe, chromiumPath, type Look, launch, listen, NO_CHROMIUM, openContext } from '../browser.ts';
import { createMock, type Mock } from '../mock.ts';

const WALL: Look = { size: 'desktop', theme: 'light', language: 'en' };

describe.skipIf(!chromiumPath)(chromiumPath ? 'the wall display' : NO_CHROMIUM, () => {
  let browser: Browser;
  let mock: Mock;
  let base: string;
  beforeAll(async () => {
    if (isStale()) await buildWeb();
    mock = createMock({ dist: distFolder, beat: 300 });
    base = await mock.listen();
    browser = await launch();
  });
  beforeEach(() => {
    mock.state.mode = 'live';
    mock.state.refuseLive = false;
  });
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  async function visit(
    path: string,
    visitor: (page: Page, said: string[]) => Promise<void>,
    look = WALL,
  ): Promise<void> {
    const context = await openContext(browser, look);
    try {
      const page = await context.newPage();
      const said = listen(page);
      await page.goto(base + path);
      await page.locator('.wall-bars svg').waitFor();
      await visitor(page, said);
    } finally {
      await context.close();
    }
  }
  const where = (page: Page) => page.evaluate(() => location.pathname + location.search);
  const goes = (page: Page, to: string) => expect.poll(() => where(page)).toBe(to);
  const title = (page: Page) => page.locator('.wall h2');

  it('is dark whatever the device wishes, has no bar, is clean, and shows power that moves', () =>
    visit('/display?meter=7', async (page, said) => {
      await expect.poll(() => page.locator('.header').count()).toBe(0);
      expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
        'rgb(18, 21, 23)',
      );
      expect(await axe(page)).toEqual([]);
      const power = () => page.locator('.wall-power dd').textContent();
      const first = await power();
      await expect.poll(power, { timeout: 30_000 }).not.toBe(first);
      // Readable from across a room: a sixth of the screen's height.
      const height = await page.locator('.wall-power dd').evaluate((e) => e.getBoundingClientRect().height);
      expect(height).toBeGreaterThan(120);
      expect(await page.locator('.wall-medium dt').allTextContents()).toEqual(['Gas', 'Water']);
      expect(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBeLessThanOrEqual(0);
      expect(said).toEqual([]);
    }));

  it('arrow keys step and choose the period, Home comes back, digits choose at once', () =>
    visit('/display?meter=7', async (page) => {
      await page.keyboard.press('ArrowLeft');
      await goes(page, '/display/day/-1?meter=7');
      await page.keyboard.press('ArrowUp');
      await goes(page, '/display/week/0?meter=7');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await goes(page, '/display/week/-2?meter=7');
      expect(await title(page).textContent()).toMatch(/^Week \d+ · /);
      await page.keyboard.press('ArrowRight');
      await goes(page, '/display/week/-1?meter=7');
      await page.keyboard.press('Home');
      await goes(page, '/display/week/0?meter=7');
      // Nothing lies after now.
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('4');
      await goes(page, '/display/year/0?meter=7');
      expect(await title(page).textContent()).toMatch(/^\d{4}$/);
      await page.keyboard.press('1');
      await goes(page, '/display?meter=7');
    }));

  it('an encoder alone reaches everything: Enter changes what is turned', () =>
    visit('/display?meter=7', async (page) => {
      await page.keyboard.press('Enter');
      await page.locator('.wall-knob[aria-label="Period"]').waitFor();
      await page.keyboard.press('ArrowRight');
      await goes(page, '/display/week/0?meter=7');
      await page.keyboard.press('Enter');
      await page.locator('.wall-knob[aria-label="Meter"]').waitFor();
      await page.keyboard.press('ArrowLeft');
      await goes(page, '/display/week/0?meter=6');
      await page.getByRole('heading', { name: 'Haugen' }).waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.wall-knob[aria-label="Time"]').waitFor();
      // A knob that comes as a mouse wheel.
      await page.mouse.move(400, 400);
      await page.mouse.wheel(0, -100);
      await goes(page, '/display/week/-1?meter=6');
    }));

  it('a period is typed: week, -2; what is none is said', () =>
    visit('/display?meter=7', async (page) => {
      await page.keyboard.type('week, -2');
      expect(await page.locator('.wall-typed').textContent()).toContain('week, -2');
      await page.keyboard.press('Enter');
      await goes(page, '/display/week/-2?meter=7');
      await page.keyboard.type('-3');
      await page.keyboard.press('Enter');
      await goes(page, '/display/week/-3?meter=7');
      await page.keyboard.type('fortnight');
      await page.keyboard.press('Enter');
      await page.getByText('“fortnight” is no period').waitFor();
      await page.keyboard.press('Escape');
      await page.getByText('Time 1/3').waitFor();
      await goes(page, '/display/week/-3?meter=7');
    }));

  it('the address says period, meter and language; fingers do the same as keys', () =>
    visit('/display?format=month,-1&meter=4&lang=de', async (page) => {
      expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
      await page.getByRole('heading', { name: 'Ødegård' }).waitFor();
      await page.getByRole('button', { name: 'Früher' }).click();
      await goes(page, '/display/month/-2?meter=4&lang=de');
      await page.getByRole('button', { name: 'Jahr' }).click();
      await goes(page, '/display/year/0?meter=4&lang=de');
      // A finger leaves no focus that would swallow the encoder's Enter.
      await page.keyboard.press('Enter');
      await page.locator('.wall-knob[aria-label="Zeitraum"]').waitFor();
      await page.getByRole('combobox').selectOption({ label: 'Bakken' });
      await goes(page, '/display/year/0?meter=1&lang=de');
    }));

  it('outlives the server: says since when, keeps what it has, and mends itself', () =>
    visit('/display?meter=7', async (page) => {
      const sums = await page.locator('.wall-in dd').textContent();
      mock.state.mode = 'error';
      mock.state.refuseLive = true;
      mock.dropLive();
      await page.getByRole('alert').filter({ hasText: 'No connection to the server since' }).waitFor();
      expect(await page.locator('.wall-in dd').textContent()).toBe(sums);
      await expect.poll(() => page.locator('.wall-bars svg').count()).toBe(1);
      mock.state.mode = 'live';
      mock.state.refuseLive = false;
      await page.evaluate(() => window.dispatchEvent(new Event('online')));
      await page.getByRole('alert').waitFor({ state: 'detached', timeout: 30_000 });
      const power = () => page.locator('.wall-power dd').textContent();
      const old = await power();
      await expect.poll(power, { timeout: 30_000 }).not.toBe(old);
    }));

  it('started while the server fails it says so', async () => {
    mock.state.mode = 'error';
    const context = await openContext(browser, WALL);
    try {
      const page = await context.newPage();
      await page.goto(`${base}/display`);
      await page.getByRole('alert').filter({ hasText: 'The server reports a fault' }).waitFor();
      mock.state.mode = 'live';
      await page.reload();
      await page.locator('.wall-bars svg').waitFor();
    } finally {
      await context.close();
    }
  });

  it('a house with gas and water behind its meter has a panel for them, another has none', async () => {
    const context = await openContext(browser, WALL);
    try {
      const page = await context.newPage();
      await page.goto(`${base}/meter/7`);
      const panel = page.getByRole('region', { name: 'Gas, water and heat' });
      await panel.waitFor();
      expect(await panel.getByRole('heading', { level: 3 }).allTextContents()).toEqual(['Gas', 'Water']);
      await panel
        .getByText(/^The counter shows [\d,.]+ m³/)
        .first()
        .waitFor();
      await expect.poll(() => panel.locator('.medium-bar').count()).toBeGreaterThan(0);
      await panel.getByText('As a table').first().click();
      await panel.getByRole('columnheader', { name: 'Gas (m³)' }).waitFor();
      expect(await axe(page)).toEqual([]);
      await page.goto(`${base}/meter/2`);
      await page.locator('.chart-box').first().waitFor();
      await expect.poll(() => mock.state.requests.some((r) => r.includes('/meters/2/media'))).toBe(true);
      await expect.poll(() => panel.count()).toBe(0);
    } finally {
      await context.close();
    }
  });
});
