/** The page of the simulated electricity meter in a real Chromium: what its lights, its display and its buttons do. */
import { systemClock } from '@amiable/io';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { virtualMeter } from '../../../simulator/src/electricity-server/factory.ts';
import { servePage } from '../../../simulator/src/electricity-server/page/server.ts';
import type { ServedMeter } from '../../../simulator/src/electricity-server/served.ts';
import { axe, chromiumPath, type Look, launch, listen, NO_CHROMIUM, openContext } from '../browser.ts';

const DAY = 86_400_000;
/** As long as lights are watched. */
const SECONDS = 4;
const LOOKS: readonly Look[] = (['light', 'dark'] as const).flatMap((theme) =>
  (['desktop', 'tablet', 'phone'] as const).map((size) => ({ size, theme, language: 'en' })),
);

describe.skipIf(!chromiumPath)(chromiumPath ? "the meter's page" : NO_CHROMIUM, () => {
  let browser: Browser;
  let meter: ServedMeter;
  let page: Awaited<ReturnType<typeof servePage>>;
  /** Time that was let pass at once. */
  let skipped = 0;
  beforeAll(async () => {
    meter = virtualMeter(
      {
        seed: 7,
        zone: 'Europe/Oslo',
        suite: 0,
        history: 2 * DAY,
        slaves: ['gas', 'heat'],
        config: { module: 'gprs', extraInput: 'alert' },
        now: () => systemClock.now() + skipped,
      },
      { number: 1 },
    );
    page = await servePage({ host: '127.0.0.1', port: 0, meter, speed: 1 });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await page?.close();
  });

  async function visit(
    visitor: (page: Page, said: string[]) => Promise<void>,
    look: Look = { size: 'desktop', theme: 'light', language: 'en' },
    motion: 'reduce' | 'no-preference' = 'reduce',
  ): Promise<void> {
    const context = await openContext(browser, look);
    try {
      const tab = await context.newPage();
      await tab.emulateMedia({ reducedMotion: motion });
      const said = listen(tab);
      await tab.goto(`http://127.0.0.1:${page.port}/`);
      await tab.locator('body[data-ready]').waitFor();
      await visitor(tab, said);
    } finally {
      await context.close();
    }
  }

  it.each(LOOKS)('is clean and fits: $theme $size', (look) =>
    visit(async (tab, said) => {
      expect(await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      expect(await axe(tab)).toEqual([]);
      expect(said).toEqual([]);
      await expect.poll(() => tab.getByRole('row', { name: /1\.8\.0 Import .* kWh/ }).count()).toBe(1);
      await expect.poll(() => tab.locator('#chart rect').count()).toBeGreaterThan(20);
    }, look),
  );

  it('blinks as the meter does: premises connected are 2 Hz, a module that listens 1 Hz', () =>
    visit(
      async (tab) => {
        // The page's own time, let pass by the test: a busy machine draws fewer frames. Nothing is answered meanwhile, so no answer sets it.
        await tab.route('**/*', () => undefined);
        await tab.clock.install();
        await tab.clock.pauseAt(await tab.evaluate(() => Date.now() + 1000));
        await tab.evaluate(() => {
          const seen: Record<string, boolean[]> = {};
          const watch = new MutationObserver((records) => {
            for (const { target, oldValue } of records) {
              const name = (target as HTMLElement).nextElementSibling?.textContent ?? '';
              seen[name] ??= [];
              seen[name].push(/\blit\b/.test(oldValue ?? ''));
            }
          });
          watch.observe(document.querySelector('#lights') as Element, {
            subtree: true,
            attributeFilter: ['class'],
            attributeOldValue: true,
          });
          Object.assign(window, { seen });
        });
        await tab.clock.runFor(SECONDS * 1000);
        const seen = await tab.evaluate(() => (window as unknown as { seen: Record<string, boolean[]> }).seen);
        /** Flashes a second. */
        const rate = (name: string) =>
          (seen[name] ?? []).filter((lit, i, all) => lit && all[i - 1] === false).length / SECONDS;
        expect(rate('Relay off')).toBeGreaterThan(1.7);
        expect(rate('Relay off')).toBeLessThan(2.3);
        expect(rate('GPRS')).toBeGreaterThan(0.7);
        expect(rate('GPRS')).toBeLessThan(1.3);
        expect(rate('ERR')).toBe(0);
      },
      undefined,
      'no-preference',
    ));

  it('the display turns, and stands still on request; it is read aloud as text', () =>
    visit(
      async (tab) => {
        // The picture is known by its code: the register behind it may count on while it is looked at.
        const shown = async () => (await tab.locator('#shown').textContent())?.split(' ')[0];
        await tab.getByRole('button', { name: 'Pause' }).click();
        const first = await shown();
        await tab.getByRole('button', { name: 'Next picture' }).click();
        await expect.poll(shown).not.toBe(first);
        const second = await shown();
        expect(await tab.locator('#shown').textContent()).toMatch(/^(F\.F 0+|\d+\.\d+\.\d+ \S+.*)$/);
        await tab.waitForTimeout(4500);
        expect(await shown()).toBe(second);
        await tab.getByRole('button', { name: 'Rotate' }).click();
        await expect.poll(shown, { timeout: 30_000 }).not.toBe(second);
      },
      undefined,
      'no-preference',
    ));

  it('the button, by keyboard: disconnects, is logged, connects again', () =>
    visit(async (tab) => {
      const button = tab.getByRole('button', { name: 'Press the button' });
      await button.focus();
      await tab.keyboard.press('Enter');
      await tab
        .getByText('Disconnected, local connection enabled')
        .or(tab.getByText(/^Disconnected, /))
        .first()
        .waitFor();
      expect(meter.live().disconnecter.connected).toBe(false);
      await tab.getByRole('cell', { name: 'Disconnected by the local button' }).waitFor();
      await tab.getByText('flashing 0.5 Hz: Premises disconnected').waitFor();
      await tab.keyboard.press('Space');
      await tab.getByText(/^Connected, /).waitFor();
      expect(await tab.getByRole('status').textContent()).toBe('The button was pressed.');
    }));

  it('a phase is taken away and given back; without any the meter is dark', () =>
    visit(async (tab) => {
      await tab.getByRole('button', { name: 'L2 on' }).click();
      await tab.getByRole('button', { name: 'L2 off' }).waitFor();
      skipped += 5 * 60_000;
      await tab.getByRole('cell', { name: 'Single phase outage L2' }).waitFor();
      await tab.getByRole('button', { name: 'All off' }).click();
      skipped += 60_000;
      await tab.locator('#shown', { hasText: 'No mains' }).waitFor({ state: 'attached' });
      await expect.poll(() => tab.locator('.lamp.lit').count()).toBe(0);
      await tab.getByRole('button', { name: 'All on' }).click();
      skipped += 60_000;
      await tab
        .getByRole('cell', { name: /Power restored after a short power down/ })
        .first()
        .waitFor();
    }));

  it('says when the simulator is gone', () =>
    visit(async (tab) => {
      await tab.route('**/state', (route) => route.abort());
      await tab.getByRole('alert').waitFor({ timeout: 30_000 });
      await tab.unroute('**/state');
      await tab.getByRole('alert').waitFor({ state: 'hidden', timeout: 30_000 });
    }));
});
