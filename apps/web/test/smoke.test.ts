/** The built page in a real Chromium, shortly: it paints, it is live, nothing complains. The long test is test:pages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWeb } from '../build.ts';
import { distFolder, isStale } from '../dist.ts';
import { bestPaint, chromiumPath, launch, listen, NO_CHROMIUM, openContext, settled } from './browser.ts';
import { createMock, type Mock } from './mock.ts';

if (!chromiumPath) console.warn(NO_CHROMIUM);

describe.skipIf(!chromiumPath)(chromiumPath ? 'the page in Chromium' : `the page (${NO_CHROMIUM})`, () => {
  let mock: Mock;
  let base: string;
  beforeAll(async () => {
    if (isStale()) await buildWeb();
    mock = createMock({ dist: distFolder, beat: 300 });
    base = await mock.listen();
  }, 120_000);
  afterAll(() => mock?.close());

  it('shows the street live and one house', async () => {
    const browser = await launch();
    try {
      const context = await openContext(browser, { size: 'desktop', theme: 'light', language: 'en' });
      const page = await context.newPage();
      const said = listen(page);
      await page.goto(base);
      await settled(page);
      expect(await page.locator('.tile').count()).toBeGreaterThan(5);
      expect(await bestPaint(page)).toBeLessThan(1000);
      await settled(page);
      await page.locator('.dot-open').waitFor();
      await page.getByRole('link', { name: 'Bakken' }).click();
      await settled(page);
      expect(await page.locator('h1').textContent()).toBe('Bakken');
      expect(await page.locator('canvas').count()).toBeGreaterThan(2);
      expect(said).toEqual([]);
    } finally {
      await browser.close();
    }
  }, 120_000);
});
