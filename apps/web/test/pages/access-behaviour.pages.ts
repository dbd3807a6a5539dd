/** Log-in in a real Chromium: refusal, coming back, a session that ends while somebody types, what is not offered to whom. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildWeb } from '../../build.ts';
import { distFolder, isStale } from '../../dist.ts';
import { axe, chromiumPath, launch, listen, NO_CHROMIUM, openContext, settled } from '../browser.ts';
import { createMock, type Mock } from '../mock.ts';
import { FIRST_CODE, type MockCaller, PASSWORD } from '../mock-access.ts';

/** A slow machine is no fault. */
const PATIENCE = { timeout: 20_000 };

describe.skipIf(!chromiumPath)(chromiumPath ? 'log-in' : NO_CHROMIUM, () => {
  let browser: Browser;
  let mock: Mock;
  let base: string;
  beforeAll(async () => {
    if (isStale()) await buildWeb();
    mock = createMock({ dist: distFolder, beat: 400 });
    base = await mock.listen();
    browser = await launch();
  });
  beforeEach(() => {
    mock.state.language = null;
    mock.state.requests.length = 0;
    mock.patches.clear();
  });
  afterAll(async () => {
    await browser?.close();
    await mock?.close();
  });

  async function visit(caller: MockCaller, path: string, visitor: (page: Page, said: string[]) => Promise<void>) {
    mock.state.caller = caller;
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
  const logIn = async (page: Page, password = PASSWORD, name = 'anna') => {
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };

  it('leads who is not logged in to the log-in, says no to a wrong password, and back to where they were', () =>
    visit('nobody', '/meter/4/week/-2', async (page) => {
      await page.waitForURL('**/login?next=%2Fmeter%2F4%2Fweek%2F-2');
      await settled(page);
      await logIn(page, 'not the password');
      await page.getByText('Name or password is wrong.').waitFor();
      expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe('');
      await logIn(page);
      await page.waitForURL('**/meter/4/week/-2');
      await page.getByRole('heading', { name: 'Ødegård' }).waitFor();
      await page.getByRole('link', { name: 'Account: anna' }).waitFor();
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.waitForURL('**/login');
      expect(mock.state.caller).toBe('nobody');
    }));

  it('says how long to wait after too many tries, and takes the language of the account', () =>
    visit('nobody', '/login', async (page) => {
      await logIn(page, PASSWORD, 'busy');
      await page.getByText('Try again in 30 seconds.').waitFor();
      mock.state.language = 'nb';
      await logIn(page);
      await page.getByRole('heading', { name: 'Gata nå' }).waitFor(PATIENCE);
    }));

  it('goes nowhere but to itself after the log-in', () =>
    visit('nobody', '/login?next=%2F%2Fevil.example%2F', async (page) => {
      await logIn(page);
      await page.getByRole('heading', { name: 'The street now' }).waitFor(PATIENCE);
      expect(new URL(page.url()).origin).toBe(base);
    }));

  it('asks for the password again when the session ends while somebody types, and saves what was typed', () =>
    visit('anna', '/meter/8/settings', async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('The house at the end');
      mock.state.caller = 'nobody';
      await page.getByRole('button', { name: 'Save' }).click();
      const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
      await dialog.waitFor();
      expect(await axe(page)).toEqual([]);
      await dialog.getByLabel('Password', { exact: true }).fill('wrong wrong wrong');
      await dialog.getByRole('button', { name: 'Log in' }).click();
      await dialog.getByText('Name or password is wrong.').waitFor();
      await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await dialog.getByRole('button', { name: 'Log in' }).click();
      await dialog.waitFor({ state: 'hidden' });
      await page.getByText('Saved.').waitFor();
      expect(mock.patches.get('8')?.name).toBe('The house at the end');
    }));

  it('lets somebody else log in instead', () =>
    visit('anna', '/meter/8/settings', async (page) => {
      mock.state.caller = 'nobody';
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Someone else' }).click();
      await page.waitForURL('**/login?next=**');
      await logIn(page, PASSWORD, 'viewer');
      await page.waitForURL('**/meter/8/settings');
      await page.getByRole('heading', { name: 'Not allowed' }).waitFor();
    }));

  it('makes the first administrator by the link, whose code leaves the address', () =>
    visit('new', `/first#${FIRST_CODE}`, async (page) => {
      expect(page.url()).toBe(`${base}/first`);
      const make = page.getByRole('button', { name: 'Make the account' });
      await page.getByLabel('User name').fill('anna');
      const password = page.getByLabel('New password');
      await password.fill('short');
      await page.getByText('7 more characters are needed.').waitFor();
      await password.fill('aaaaaaaaaaaa');
      await page.getByText('Weak').waitFor();
      await password.fill(PASSWORD);
      await page.getByText('Strong.').waitFor();
      await page.getByLabel('The same once more').fill('a house by a river');
      await page.getByText('The two are not the same.').waitFor();
      expect(await make.isDisabled()).toBe(true);
      await page.getByLabel('The same once more').fill(PASSWORD);
      await make.click();
      await page.getByRole('link', { name: 'Account: anna' }).waitFor();
      expect(mock.state.caller).toBe('anna');
    }));

  it('tells a wrong code, which is asked for where the link had none', () =>
    visit('new', '/first', async (page) => {
      await page.getByLabel('One-time code').fill('WRONG');
      await page.getByLabel('User name').fill('anna');
      await page.getByLabel('New password').fill(PASSWORD);
      await page.getByLabel('The same once more').fill(PASSWORD);
      await page.getByRole('button', { name: 'Make the account' }).click();
      await page.getByText('This code is not the one that was printed.').waitFor();
    }));

  it('shows guests what they may see, with a way to log in, and offers them no change', () =>
    visit('guest', '/', async (page, said) => {
      await page.locator('.tile').first().waitFor();
      await page.getByText('You look around as a guest.').waitFor();
      await expect.poll(() => page.getByRole('button', { name: /Name it/ }).count()).toBe(0);
      await page.getByRole('link', { name: 'Bakken' }).click();
      await page.getByRole('link', { name: 'Messages', exact: true }).waitFor();
      await expect.poll(() => page.getByRole('link', { name: 'Settings' }).count()).toBe(0);
      expect(said).toEqual([]);
      await page.goto(`${base}/meter/4/settings`);
      await page.getByRole('heading', { name: 'Please log in' }).waitFor();
      await page.locator('main').getByRole('link', { name: 'Log in' }).click();
      await page.waitForURL('**/login?next=%2Fmeter%2F4%2Fsettings');
    }));

  it('changes the own password, and says what is wrong with the old one', () =>
    visit('anna', '/account', async (page) => {
      await page.getByLabel('Present password').fill('no');
      await page.getByLabel('New password').fill('another house by the sea');
      await page.getByLabel('The same once more').fill('another house by the sea');
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.getByText('The present password is wrong.').waitFor();
      await page.getByLabel('Present password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.getByText('Changed.').waitFor();
      expect(await page.getByLabel('New password').inputValue()).toBe('');
      await page.locator('main').getByLabel('Language').selectOption('de');
      await page.getByRole('heading', { name: 'Konto' }).waitFor();
      await expect.poll(() => mock.state.language, PATIENCE).toBe('de');
    }));
});
