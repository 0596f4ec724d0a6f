/**
 * GraphiQL in a real Chromium against a real gateway with its sandbox, as a newcomer meets it. It needs the built page
 * (`npm run build`). `SCREENSHOT=docs/graphiql.png npx vitest run test/web` also takes the README's picture.
 */
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { sandboxClients } from '../../src/sandbox/clients.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { findProgram } from '../support/programs.ts';
import { authEnv, createSigner } from '../support/signer.ts';
import { startChromium } from './chromium.ts';

const signer = await createSigner();

testInChromium(
  '/ leads to GraphiQL, which opens with tabs to send, watch and look up',
  async (page, gateway) => {
    await open(page, gateway.url);

    expect(page.url()).toBe(`${gateway.url}/graphql`);
    expect(await page.title()).toBe('Pingup gateway');
    await line(variables(page), '"client": "reads"').waitFor();
    const tabs = await page.getByRole('tab').allInnerTexts();
    expect(tabs).toEqual(['SendTextMessage', 'MessageStatus', 'LookUp']);
  },
);

testInChromium("the page knows the sandbox's clients and what each does", async (page, gateway) => {
  await open(page, `${gateway.url}/graphql`);

  const names = await page.locator('#graphiql').getAttribute('data-sandbox-clients');
  expect(JSON.parse(names ?? '')).toEqual(sandboxClients);
  await line(operation(page), '- reads: ').waitFor();
});

testInChromium('the editor completes the name of a field', async (page, gateway) => {
  await open(page, `${gateway.url}/graphql`);
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByText('Root Types').waitFor();
  await line(operation(page), 'scheduledFor').click();

  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('revi');
  await page.getByRole('option', { name: 'revision' }).click();

  await line(operation(page), /^\s*revision$/).waitFor();
});

testInChromium(
  'a text sent in the first tab is watched in the second until it is READ',
  async (page, gateway) => {
    await open(page, `${gateway.url}/graphql`);
    await line(variables(page), '"delay": "10s"').click();
    for (const key of ['End', 'ArrowLeft', 'ArrowLeft', 'Backspace']) await page.keyboard.press(key);
    await line(variables(page), '"delay": "1s"').waitFor();

    await play(page);
    await line(answer(page), '"status": "ACCEPTED"').waitFor();
    await page.getByRole('button', { name: 'in the watch tab' }).click();
    await opened(page, 'subscription MessageStatus');
    await play(page);

    await line(answer(page), '"rawStatus": "read"').waitFor();
    await line(answer(page), '"revision": 4').waitFor();
    await takeScreenshot(page);
  },
);

testInChromium('the third tab looks up the messages there are', async (page, gateway) => {
  const id = await gateway.send();
  await open(page, `${gateway.url}/graphql`);
  await page.getByRole('tab', { name: 'LookUp' }).click();
  await opened(page, 'query LookUp');
  await play(page);

  await line(answer(page), `"id": "${id}"`).waitFor();
});

testInChromium('what the reader wrote in a tab is there again after a reload', async (page, gateway) => {
  await open(page, `${gateway.url}/graphql`);
  await line(operation(page), 'scheduledFor').click();
  await page.keyboard.press('End');
  await page.keyboard.insertText(' delay');
  await stored(page, 'graphiql:tabState', 'scheduledFor delay');

  await open(page, page.url());
  await line(operation(page), 'scheduledFor delay').waitFor();
  expect(await page.getByRole('tab').count()).toBe(3);
});

testInChromium(
  'what the header editor says of authorization goes along by HTTP and by the socket',
  async (page, gateway) => {
    const authorization = `Bearer ${await signer.sign({ businesses: '*' })}`;
    await open(page, `${gateway.url}/graphql`);
    await play(page);
    await line(answer(page), 'UNAUTHENTICATED').waitFor();
    await writeHeaders(page, { Authorization: authorization });
    await play(page);
    await line(answer(page), '"status": "ACCEPTED"').waitFor();

    await page.getByRole('button', { name: 'in the watch tab' }).click();
    await opened(page, 'subscription MessageStatus');
    await play(page);
    await line(answer(page), '"message": "Socket closed with event 4403').waitFor();
    await writeHeaders(page, { authorization });
    await play(page);
    await line(answer(page), '"revision": ').waitFor();
  },
  { env: authEnv(signer), errors: /401 \(Unauthorized\)|closed with event 4403/ },
);

interface Situation {
  readonly env?: Readonly<Record<string, string>>;
  /** What the console may call an error. */
  readonly errors?: RegExp;
}

/** Without Chromium the test is skipped, but not in CI. No test may reach another host, or see another error. */
function testInChromium(
  title: string,
  body: (page: Page, gateway: TestGateway) => Promise<void>,
  { env = {}, errors = /^$/ }: Situation = {},
): void {
  test(title, async ({ skip }) => {
    const executable = findProgram('chromium');
    if (!executable && process.env['CI'] !== 'true') skip('there is no chromium on PATH');
    if (!executable) throw new Error('CI needs a chromium on PATH');
    await using gateway = await startTestGateway({ sandboxStepMs: 100, env });
    await using browser = await startChromium(executable, gateway.url);
    await body(browser.page, gateway);
    expect(browser.strayRequests).toEqual([]);
    expect(browser.errors.filter((error) => !errors.test(error))).toEqual([]);
  });
}

async function writeHeaders(page: Page, headers: Readonly<Record<string, string>>): Promise<void> {
  await page.getByRole('button', { name: 'Headers' }).click();
  const editor = page.getByRole('region', { name: 'Headers' });
  await editor.locator('.view-lines:visible').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(JSON.stringify(headers));
  await line(editor, 'Bearer').waitFor();
}

/** Resolves once the editors are there. */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await line(variables(page), '"client": "reads"').waitFor();
}

function operation(page: Page): Locator {
  return page.getByRole('region', { name: 'Operation Editor' });
}

function variables(page: Page): Locator {
  return page.getByRole('region', { name: 'Variables' });
}

function answer(page: Page): Locator {
  return page.getByRole('region', { name: 'Result Window' });
}

/** A line of an editor. Monaco draws only those in view. */
function line(editor: Locator, text: string | RegExp): Locator {
  return editor.locator('.view-line', { hasText: text });
}

async function play(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Execute query' }).click();
}

/** GraphiQL takes a moment to know which operation a tab that was just opened holds; it then stores the query. */
async function opened(page: Page, operationStart: string): Promise<void> {
  await stored(page, 'graphiql:query', operationStart);
}

async function stored(page: Page, key: string, text: string): Promise<void> {
  const item = () => page.evaluate((name) => localStorage.getItem(name) ?? '', key);
  await expect.poll(item).toContain(text);
}

async function takeScreenshot(page: Page): Promise<void> {
  const path = process.env['SCREENSHOT'];
  if (!path) return;
  await page.mouse.move(1000, 850);
  await page.screenshot({ path, animations: 'disabled' });
}
