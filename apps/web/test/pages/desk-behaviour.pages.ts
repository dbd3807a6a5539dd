/** The pages for those who work here, in a real Chromium: the heat map by keys, the log as it grows, the API, a meter read now. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildWeb } from '../../build.ts';
import { distFolder, isStale } from '../../dist.ts';
import { axe, chromiumPath, launch, listen, NO_CHROMIUM, openContext, settled } from '../browser.ts';
import { createMock, type Mock } from '../mock.ts';

/** A slow machine is no fault. */
const PATIENCE = { timeout: 20_000 };

describe.skipIf(!chromiumPath)(chromiumPath ? 'the desk' : NO_CHROMIUM, () => {
  let browser: Browser;
  let mock: Mock;
  let base: string;
  beforeAll(async () => {
    if (isStale()) await buildWeb();
    browser = await launch();
  });
  beforeEach(async () => {
    await mock?.close();
    mock = createMock({ dist: distFolder, beat: 300 });
    base = await mock.listen();
  });
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  async function visit(path: string, visitor: (page: Page, said: string[]) => Promise<void>) {
    const context = await openContext(browser, { size: 'desktop', theme: 'light', language: 'en' });
    try {
      const page = await context.newPage();
      const said = listen(page);
      await page.goto(base + path);
      await settled(page);
      await visitor(page, said);
    } finally {
      await context.close();
    }
  }
  const focused = (page: Page) =>
    page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.spot ?? '');

  it('walks the heat map by keys, down to a meter and what it lacks, and back', () =>
    visit('/completeness', async (page, said) => {
      const grid = page.getByRole('grid');
      await grid.locator('[tabindex="0"]').focus();
      expect(await focused(page)).toBe('0/0');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      expect(await focused(page)).toBe('1/2');
      // What is focused is told in words above the map, and by the cell itself.
      const told = page.locator('#heat-spot');
      expect(await told.textContent()).toContain('Nord');
      const label = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
      expect(await told.textContent()).toContain(label);
      await page.keyboard.press('End');
      expect(await focused(page)).toBe('1/30');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Control+End');
      expect(await focused(page)).toBe('4/30');
      await page.keyboard.press('Control+Home');
      expect(await focused(page)).toBe('0/0');
      await expect.poll(() => grid.locator('[tabindex="0"]').count()).toBe(1);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      // This grid has no substations: transformers come next.
      await page.getByRole('rowheader', { name: 'T-0001' }).waitFor();
      expect(await page.getByRole('combobox', { name: 'Rows' }).inputValue()).toBe('transformer');
      await page.getByRole('rowheader', { name: 'T-0001' }).click();
      await page.getByRole('rowheader', { name: 'F-0001' }).click();
      const meter = page.getByRole('row', { name: /73599922100000+4/ });
      await meter.locator('.heat-p80, .heat-p50, .heat-p1, .heat-p0, .heat-p95').first().click();
      await page.getByRole('heading', { name: 'What 7359992210000004 lacks' }).waitFor();
      await page.getByText('The meter did not answer.').first().waitFor();
      expect(await axe(page)).toEqual([]);
      await page.getByRole('button', { name: 'All meters' }).click();
      await page.getByRole('rowheader', { name: 'Nord' }).waitFor();
      await page.getByText('As a table').click();
      await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(6);
      await page.goBack();
      await page.locator('.heat-name', { hasText: '7359992210000001' }).waitFor();
      expect(said).toEqual([]);
    }));

  it('keeps the heat map of a hundred thousand meters small, and reaches its end by keys and pages', () =>
    visit('/', async (page) => {
      mock.state.mode = 'many';
      await page.goto(`${base}/completeness?rows=meter&days=90`);
      await settled(page);
      await page.getByRole('grid').locator('[tabindex="0"]').focus();
      for (let i = 0; i < 2; i++) {
        const before = await focused(page);
        await page.keyboard.press('Control+End');
        // The end moves on as pages come.
        await expect.poll(() => focused(page), PATIENCE).not.toBe(before);
        await expect.poll(() => page.locator('.heat-row').count(), PATIENCE).toBeLessThan(80);
        const asked = () => mock.state.requests.filter((request) => request.includes('rows=meter')).length;
        await expect.poll(asked, PATIENCE).toBeGreaterThan(i + 1);
        await page.waitForFunction(
          (rows) => Number(document.querySelector('.heat-rows')?.clientHeight) >= rows * 30,
          200 * (i + 2),
          PATIENCE,
        );
      }
      expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(9000);
    }));

  it('unfolds the log by keys, shows an APDU, and explains its bytes', () =>
    visit('/log', async (page, said) => {
      await page.getByText('Live').waitFor();
      await page.locator('[role=treeitem][tabindex="0"]').focus();
      await page.keyboard.press('End');
      const current = () => page.evaluate(() => document.activeElement?.querySelector('.log-text')?.textContent ?? '');
      expect(await current()).toBe('Night: daily values, profiles, events');
      for (const text of ['Daily values of 200 meters', 'Meter 735999221055401', 'Association with', 'get-request']) {
        await page.keyboard.press('ArrowRight');
        await page.locator('[role=treeitem]', { hasText: text }).first().waitFor();
        await page.keyboard.press('ArrowRight');
        await expect.poll(current, PATIENCE).toContain(text);
      }
      await page.getByRole('progressbar', { name: 'Daily values of 200 meters' }).waitFor();
      // Four nodes are open: the server is asked to tell of what is new in these.
      await expect.poll(() => mock.log.parents().at(-1)?.length, PATIENCE).toBe(4);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'get-request 0-0:40.0.0' }).waitFor();
      expect(await axe(page)).toEqual([]);
      await page.keyboard.press('ArrowLeft');
      await expect.poll(current, PATIENCE).toContain('Association with');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await expect.poll(current, PATIENCE).toContain('Daily values of 200 meters');
      await page.locator('[role=treeitem]', { hasText: 'get-request' }).waitFor({ state: 'detached' });
      await page.locator('.log-detail').getByRole('link', { name: 'Explain bytes' }).click();
      await page.waitForURL('**/explain?hex=*');
      await page.locator('.tree-line').first().waitFor(PATIENCE);
      expect(said).toEqual([]);
    }));

  it('shows what happens as it happens; waits while paused; catches up after a broken line', () =>
    visit('/log', async (page) => {
      await page.getByText('Live').waitFor();
      const line = (text: string) => page.locator('[role=treeitem]', { hasText: text });
      await expect.poll(() => mock.log.streams(), PATIENCE).toBe(1);
      const [task] = mock.log.put({ text: 'A task that just began' });
      await line('A task that just began').waitFor();
      expect(await page.locator('[role=treeitem]').first().textContent()).toContain('A task that just began');
      mock.log.end(task?.id ?? '', 'failed');
      await page.locator('.log-failed', { hasText: 'A task that just began' }).waitFor();

      await page.getByRole('button', { name: 'Pause' }).click();
      mock.log.put({ text: 'While nobody looked', state: 'done' }, { text: 'And another', state: 'done' });
      await page.getByText('Paused, 2 new').waitFor();
      await expect.poll(() => line('While nobody looked').count()).toBe(0);
      await page.getByRole('button', { name: 'Go on' }).click();
      await line('While nobody looked').waitFor();

      mock.log.refuse(true);
      await page.locator('.log-page .connection-lost').waitFor(PATIENCE);
      mock.log.quietly({ text: 'Done behind its back', state: 'done' });
      mock.log.refuse(false);
      await page.getByRole('button', { name: 'Try now' }).last().click();
      await page.getByText('Live').waitFor(PATIENCE);
      await line('Done behind its back').waitFor(PATIENCE);

      mock.log.quietly({ text: 'Missed for good', state: 'done' });
      mock.log.reset();
      await line('Missed for good').waitFor(PATIENCE);

      await page.getByRole('searchbox').fill('does not answer');
      await expect.poll(() => page.locator('[role=treeitem]').count(), PATIENCE).toBe(3);
      await page.getByRole('combobox', { name: 'State' }).selectOption('running');
      await page.getByRole('heading', { name: 'Nothing in the log fits' }).waitFor();
      await page.getByRole('button', { name: 'Show all' }).click();
      await line('A task that just began').waitFor();
      expect(new URL(page.url()).search).toBe('');
    }));

  it('takes ten thousand entries without a long pause, and what one reads stays where it is', () =>
    visit('/log', async (page, said) => {
      await page.getByText('Live').waitFor();
      await expect.poll(() => mock.log.streams(), PATIENCE).toBe(1);
      mock.log.put(...Array.from({ length: 300 }, (_, i) => ({ text: `Before ${i}`, state: 'done' })));
      await page.locator('[role=treeitem]', { hasText: 'Before 299' }).waitFor();
      await page.locator('.log-tree').evaluate((tree) => tree.scrollTo(0, 34 * 100));
      const read = page.locator('[role=treeitem]', { hasText: 'Before 195' });
      await read.waitFor();
      const place = async () => Math.round((await read.boundingBox())?.y ?? -1);
      const before = await place();
      await page.evaluate(() => {
        const seen = { longest: 0, on: true, at: performance.now() };
        (window as unknown as { seen: typeof seen }).seen = seen;
        const frame = () => {
          const now = performance.now();
          seen.longest = Math.max(seen.longest, now - seen.at);
          seen.at = now;
          if (seen.on) requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      for (let batch = 0; batch < 50; batch++) {
        mock.log.put(...Array.from({ length: 200 }, (_, i) => ({ text: `Entry ${batch * 200 + i}`, state: 'done' })));
        await new Promise((done) => setTimeout(done, 10));
        if (batch !== 9) continue;
        await expect
          .poll(() => page.locator('.log-lines').evaluate((lines) => lines.clientHeight), { timeout: 40_000 })
          .toBeGreaterThan(34 * 2300);
        await expect.poll(place, PATIENCE).toBe(before);
      }
      // The oldest of so many are let go; the newest three thousand stay.
      await expect
        .poll(() => page.locator('.log-lines').evaluate((lines) => lines.clientHeight), { timeout: 40_000 })
        .toBeGreaterThan(34 * 2900);
      await page.locator('.log-tree').evaluate((tree) => tree.scrollTo(0, 0));
      await page.locator('[role=treeitem]', { hasText: 'Entry 9999' }).waitFor({ timeout: 40_000 });
      const longest = await page.evaluate(() => {
        const { seen } = window as unknown as { seen: { on: boolean; longest: number } };
        seen.on = false;
        return seen.longest;
      });
      await expect.poll(() => page.locator('[role=treeitem]').count()).toBeLessThan(80);
      console.log(`10,000 entries: longest frame ${longest.toFixed(0)} ms`);
      expect(said).toEqual([]);
    }));

  it('finds a route in the API by words, tells what it takes, and asks it as whoever is logged in', () =>
    visit('/api', async (page, said) => {
      await expect.poll(() => page.locator('.route').count()).toBe(9);
      await page.getByRole('searchbox').fill('meter:view page');
      await expect.poll(() => page.locator('.route').count(), PATIENCE).toBe(1);
      await page.locator('.route summary').click();
      await page.getByText('default 100').waitFor();
      await page.getByLabel('limit').fill('2');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('.try-outcome', { hasText: '"total": 13' }).waitFor();
      expect(mock.state.requests).toContain('GET /api/v1/meters?limit=2');
      expect(await axe(page)).toEqual([]);
      await page.getByRole('searchbox').fill('live');
      await page.locator('.route summary').click();
      await page.getByRole('button', { name: 'Send' }).click();
      // A stream is shown as it comes, until it is stopped.
      await page.locator('.try-outcome', { hasText: 'data: [' }).waitFor(PATIENCE);
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByRole('button', { name: 'Send' }).waitFor();
      // A route that the address names is shown, whatever was searched before.
      await page.evaluate(() => {
        location.hash = 'patch-meters/id';
      });
      await page.getByText('Names a meter').waitFor(PATIENCE);
      await page.locator('.route[open]', { hasText: "-X PATCH -H 'Authorization: Bearer TOKEN'" }).waitFor();
      expect(said).toEqual([]);
    }));

  it('reads a meter now, tells a failure, and takes back what has not begun', () =>
    visit('/meter/4', async (page, said) => {
      const panel = page.getByRole('region', { name: 'Read now' });
      await panel.getByRole('button', { name: 'Read now' }).click();
      await panel.getByText('The meter is being called').waitFor(PATIENCE);
      await panel.getByRole('cell', { name: '12345678' }).waitFor(PATIENCE);
      // What the meter's type has, by the page's name or else its own.
      expect(await panel.getByRole('option').allTextContents()).toEqual([
        'billing',
        'outages',
        'delivery quality',
        'maintenance',
      ]);
      await panel.getByRole('combobox', { name: 'Set' }).selectOption('outage');
      await panel.getByRole('button', { name: 'Read now' }).click();
      await panel.getByText('The meter does not answer: connection refused').waitFor(PATIENCE);
      expect(await axe(page)).toEqual([]);
      mock.reads.hold = true;
      await panel.getByRole('radio', { name: 'Profile' }).check();
      await panel.getByRole('button', { name: 'Read now' }).click();
      await panel.getByText('The read waits for its turn').waitFor(PATIENCE);
      await panel.getByRole('button', { name: 'Cancel' }).click();
      await panel.getByText('Cancelled').waitFor(PATIENCE);
      const events = page.getByRole('region', { name: 'Events of the meter' });
      await expect.poll(() => events.getByRole('listitem').count()).toBe(8);
      await events.getByRole('button', { name: 'More' }).click();
      await expect.poll(() => events.getByRole('listitem').count(), PATIENCE).toBe(20);
      // A meter that speaks by itself alone has no such panel.
      await page.goto(`${base}/meter/3`);
      await settled(page);
      await expect.poll(() => panel.count()).toBe(0);
      expect(said).toEqual([]);
    }));

  it('shows validated values by quality, and the bill with the reason for each line', () =>
    visit('/meter/7/week/-1', async (page, said) => {
      const values = page.getByRole('region', { name: 'Validated values' });
      await values.getByText('Estimated').first().waitFor(PATIENCE);
      await values.getByText('8 values of energyImport are missing from 06:00 to 08:00.').waitFor();
      const chart = values.getByRole('slider');
      await chart.focus();
      await page.keyboard.press('End');
      expect(await chart.getAttribute('aria-valuetext')).toMatch(/Measured .*kWh/);
      await values.getByText('How values were estimated').click();
      await values.getByText('Mean of the 3 nearest Wednesdays', { exact: false }).waitFor();
      const bill = page.getByRole('region', { name: /^Bill/ });
      await bill.getByText('more than 10 %', { exact: false }).waitFor();
      await bill.getByText('How it comes about').first().click();
      await bill.getByLabel('Say why, line by line').first().check();
      await bill.getByText('Energy: 162.792 kWh × 0.842 = 137.07 NOK', { exact: false }).first().waitFor();
      // Reasons are long, and the amounts stay in sight beside them.
      const lines = await bill.getByRole('table').first().boundingBox();
      const panel = await bill.boundingBox();
      expect((lines?.x ?? 0) + (lines?.width ?? 0)).toBeLessThanOrEqual((panel?.x ?? 0) + (panel?.width ?? 0));
      expect(await axe(page)).toEqual([]);
      expect(said).toEqual([]);
    }));

  it('has neither for a house without values and without a contract', () =>
    visit('/meter/9', async (page) => {
      await page.getByRole('heading', { name: 'About this meter' }).waitFor(PATIENCE);
      await settled(page);
      await expect.poll(() => page.getByText('Validated values').count()).toBe(0);
      await expect.poll(() => page.getByRole('region', { name: /^Bill/ }).count()).toBe(0);
    }));
});
