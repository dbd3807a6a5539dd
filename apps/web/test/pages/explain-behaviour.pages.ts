/** The page that explains bytes, in a real Chromium: pasting, examples, keys, files, keys of the keyboard, addresses. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWeb } from '../../build.ts';
import { distFolder, isStale } from '../../dist.ts';
import { chromiumPath, type Look, launch, listen, NO_CHROMIUM, openContext, settled } from '../browser.ts';
import { createMock, type Mock } from '../mock.ts';

const DESKTOP: Look = { size: 'desktop', theme: 'light', language: 'en' };
const SNRM = '7E A0 07 03 21 93 0F 01 7E';
const KEY = '000102030405060708090a0b0c0d0e0f';

describe.skipIf(!chromiumPath)(chromiumPath ? 'the page that explains' : NO_CHROMIUM, () => {
  let browser: Browser;
  let mock: Mock;
  let base: string;
  beforeAll(async () => {
    if (isStale()) await buildWeb();
    mock = createMock({ dist: distFolder });
    base = await mock.listen();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  /** Nothing may be said in the console, whatever is done. */
  async function visit(path: string, visitor: (page: Page) => Promise<void>): Promise<void> {
    const context = await openContext(browser, DESKTOP);
    try {
      const page = await context.newPage();
      const said = listen(page);
      await page.goto(base + path);
      await settled(page);
      await visitor(page);
      expect(said).toEqual([]);
    } finally {
      await context.close();
    }
  }
  const field = (page: Page) => page.getByLabel('Hex, a telegram, a dump, a log', { exact: true }).last();
  const title = (page: Page, text: string) => page.locator('#explain-part', { hasText: text }).waitFor();
  const example = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

  it('is reached from the header and explains as one types, without a button', () =>
    visit('/', async (page) => {
      await page.getByRole('link', { name: 'Explain bytes' }).click();
      await page.waitForURL('**/explain');
      await page.getByText('Paste something above').waitFor();
      await field(page).fill(SNRM);
      await title(page, 'SNRM');
      await expect.poll(() => page.locator('.hex-byte').count()).toBe(9);
      // One part needs no list.
      await expect.poll(() => page.getByRole('listbox').count()).toBe(0);
      await page.locator('.hex-byte').nth(5).click();
      expect(await page.locator('.tree-lit').textContent()).toContain('SNRM');
      await page.keyboard.press('ArrowRight');
      expect(await page.locator('.spotlight').textContent()).toContain('bytes 6–7');
      await field(page).fill(`${SNRM}\n${SNRM}`);
      await page.getByRole('listbox').waitFor();
      await field(page).fill('no bytes at all');
      await page.getByText('There are no bytes in this.').waitFor();
      await page.getByRole('button', { name: 'Clear' }).click();
      await page.getByText('Paste something above').waitFor();
      await page.waitForFunction(() => document.activeElement?.id === 'explain-text');
    }));

  it('walks a ciphered conversation by arrow keys; the XML can be had', () =>
    visit('/explain', async (page) => {
      await example(page, 'Ciphered session');
      const list = page.getByRole('listbox');
      await list.waitFor();
      await title(page, 'AARQ > initiate-request');
      await list.focus();
      for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown');
      await title(page, 'get-request-normal 0-0:40.0.0 attribute 2');
      expect(await page.getByRole('listbox').getByRole('option', { selected: true }).textContent()).toContain(
        'get-request-normal',
      );
      await page.locator('.hex-layer').nth(1).waitFor();
      expect(await page.locator('.hex-layer h3').allTextContents()).toEqual([
        expect.stringContaining('On the wire'),
        expect.stringContaining('deciphered'),
      ]);
      await page.getByRole('radio', { name: 'XML' }).check();
      await page.locator('pre', { hasText: '<GetRequestNormal>' }).waitFor();
      await list.focus();
      await page.keyboard.press('ArrowDown');
      // The chosen tab stays.
      await page.locator('pre', { hasText: '<GetResponseNormal>' }).waitFor();
      await page.keyboard.press('End');
      await page.getByText('Part 10 of 10').waitFor();
      await page.keyboard.press('Home');
      await page.getByText('Part 1 of 10').waitFor();
    }));

  it('says what keys would help, takes them, and lets them go nowhere', () =>
    visit('/explain', async (page) => {
      const sent: string[] = [];
      page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
      await example(page, 'Ciphered session');
      await page.getByRole('listbox').waitFor();
      await page.locator('.explain-keys summary').click();
      for (const name of ['Encryption key', 'Authentication key'])
        await page.getByLabel(name, { exact: true }).fill('');
      await page.locator('.explain-hint', { hasText: 'The encryption key' }).waitFor();
      await page.locator('.explain-keys summary').click();
      await page.getByRole('button', { name: 'Enter keys' }).click();
      await page.waitForFunction(() => document.activeElement?.id === 'explain-unicast');
      await page.keyboard.type('0123');
      await page.getByText('32 or 64 hexadecimal digits are needed; here are 4.').waitFor();
      await page.getByLabel('Encryption key', { exact: true }).fill(KEY);
      await page.locator('.explain-hint', { hasText: 'the tag was not checked' }).waitFor();
      const kept = await page.evaluate(() =>
        JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href]),
      );
      expect(kept).not.toContain(KEY);
      expect(sent.join('\n')).not.toContain(KEY);
      expect(mock.state.requests.join('\n')).not.toContain(KEY);
      await page.reload();
      await settled(page);
      await page.locator('.explain-keys summary').click();
      expect(await page.getByLabel('Encryption key', { exact: true }).inputValue()).toBe('');
    }));

  it('takes text, bytes and captures as files', () =>
    visit('/explain', async (page) => {
      const give = (name: string, buffer: Buffer) =>
        page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
      await give('log.txt', Buffer.from(`TX ${SNRM}\n`));
      await title(page, 'SNRM');
      expect(await field(page).inputValue()).toContain('TX 7E A0');
      await give('frame.bin', Buffer.from(SNRM.replaceAll(' ', ''), 'hex'));
      await page.getByText('frame.bin').waitFor();
      await title(page, 'SNRM');
      // An empty capture.
      await give(
        'empty.pcap',
        Buffer.from('d4c3b2a1020004000000000000000000000004000100000000000000'.slice(0, 48), 'hex'),
      );
      await page.getByText('There is no TCP, UDP or serial data in this capture.').waitFor();
      await page.getByRole('button', { name: 'Clear' }).click();
      await field(page).waitFor();
      await page.locator('.explain-input').evaluate(
        (panel, octets) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([new Uint8Array(octets)], 'dropped.bin'));
          panel.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        },
        [...Buffer.from(SNRM.replaceAll(' ', ''), 'hex')],
      );
      await page.getByText('dropped.bin').waitFor();
      await title(page, 'SNRM');
    }));

  it('ends what never ends, and goes on', () =>
    visit('/', async (page) => {
      await page.route('**/worker-*.js', (route) =>
        route.fulfill({ contentType: 'text/javascript', body: 'onmessage = () => { for (;;); };' }),
      );
      await page.goto(`${base}/explain`);
      await field(page).fill(SNRM);
      await page.getByText('This took too long and was stopped.').waitFor({ timeout: 30_000 });
      await page.unroute('**/worker-*.js');
      await field(page).fill(`${SNRM} `);
      await title(page, 'SNRM');
    }));

  it('is asked by the address, and names itself in a link', () =>
    visit(`/explain?hex=${encodeURIComponent(SNRM)}`, async (page) => {
      await title(page, 'SNRM');
      await page.getByRole('button', { name: 'Copy link' }).waitFor();
      await field(page).fill(SNRM.replace('93', '53'));
      await page.waitForURL((url) => url.search === '');
      await title(page, 'DISC');
    }));

  it('shows a long paste quickly, some of it at a time, and outlives hostile ones', () =>
    visit('/explain', async (page) => {
      const paste = (text: string) =>
        field(page).evaluate((area, value) => {
          const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set;
          set?.call(area, value);
          area.dispatchEvent(new Event('input', { bubbles: true }));
        }, text);
      const before = Date.now();
      await paste(`098300f000${'41'.repeat(0xf000)}`);
      await title(page, 'value');
      await page.getByRole('button', { name: /Show 4,096 more of 61,445 bytes/ }).click();
      await expect.poll(() => page.locator('.hex-byte').count()).toBe(8192);
      const took = Date.now() - before;
      console.log(`61 kB explained and drawn twice in ${took} ms`);
      expect(took).toBeLessThan(15_000);
      await paste('7e'.repeat(128 * 1024));
      await title(page, 'unknown');
      await paste(`${SNRM} `.repeat(9000));
      await page.getByText('The first 1,000 parts are shown.').waitFor();
      await page.getByRole('listbox').focus();
      await page.keyboard.press('End');
      await page.getByText('Part 1,000 of 1,000').waitFor();
    }));

  it('is reached from a message, with its bytes', () =>
    visit('/meter/2/messages', async (page) => {
      await page.locator('.message-time').first().click();
      await page.getByRole('link', { name: 'Explain in full' }).click();
      await title(page, 'data-notification');
      const shown = await field(page).inputValue();
      expect(shown.length).toBeGreaterThan(100);
      await page.reload();
      await title(page, 'data-notification');
      expect(await field(page).inputValue()).toBe(shown);
    }));
});
