/** The console in a real Chromium, as standalone serves it, with sign-in at a real OpenID Connect provider. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { type Gatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { answerOf, openSession } from '../fixtures/hand-client.ts';
import { type Issuer, startIssuer } from '../fixtures/issuer.ts';
import { type ScriptedServer, startScriptedServer } from '../fixtures/scripted-server.ts';
import { type SignInProvider, startSignInProvider } from '../fixtures/sign-in-provider.ts';
import { OPEN } from '../e2e/world.ts';

const CHROMIUM = '/usr/bin/chromium';
const missing = existsSync(CHROMIUM) ? undefined : 'Not there yet: chromium. "make tools" brings it.';

let provider: SignInProvider;
let issuer: Issuer;
let server: ScriptedServer;
let gatehouse: Gatehouse;
let browser: Browser;
let context: BrowserContext;

describeUnless(missing, 'the console in a browser', () => {
  beforeAll(async () => {
    [issuer, server] = [await startIssuer(), await startScriptedServer()];
    const groups = { dora: ['dba'], sam: ['dba'] };
    gatehouse = await startGatehouse(
      (url) => [
        {
          kind: 'McpGateway',
          metadata: { name: 'orders' },
          spec: {
            ...{ server: { url: server.url }, publicUrl: url, access: OPEN },
            identity: [
              { name: 'staff', oidc: { issuer: provider.issuer } },
              { name: 'desk', oidc: { issuer: issuer.url } },
            ],
          },
        },
        {
          kind: 'ApprovalRule',
          metadata: { name: 'writes' },
          spec: {
            targetRefs: [{ kind: 'McpGateway', name: 'orders' }],
            match: { tools: ['query'], sql: { dialect: 'PostgreSQL', argument: 'sql' } },
            approvers: { groups: ['dba'] },
          },
        },
      ],
      {
        settings: async (admin) => {
          provider = await startSignInProvider(`${admin}/console/callback`, groups);
          const { issuer: at, clientId } = provider;
          return { publicUrl: admin, console: { issuer: at, clientId, scopes: ['openid'] } };
        },
      },
    );
    // Nothing but this machine is asked, as for the fonts of the provider's pages.
    const nowhere = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', nowhere] });
  });
  afterEach(() => context.close());
  afterAll(async () => {
    await browser.close();
    await gatehouse[Symbol.asyncDispose]();
    for (const part of [server, issuer, provider]) await part[Symbol.asyncDispose]();
  });

  const call = async (sql: string): Promise<Response> => {
    const token = await issuer.token({ sub: 'sam', aud: gatehouse.url, groups: ['dba'] });
    const session = await openSession({ url: gatehouse.url, token });
    return session.request('tools/call', { name: 'query', arguments: { sql } }, { id: 1 });
  };
  const open = async (options: {
    javaScriptEnabled: boolean;
  }): Promise<{ page: Page; complaints: string[] }> => {
    context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // The provider's pages are its own affair.
      const isOurs = message.location().url.startsWith(gatehouse.admin);
      // Whoever is not signed in gets a page with status 401, which a browser reports.
      const isExpected = message.text().includes('status of 401');
      if (isOurs && !isExpected && message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    return { page, complaints };
  };
  /** By keyboard alone, from wherever the focus is. */
  const typed = async (page: Page, login: string): Promise<void> => {
    await page.locator('input[name=login]').focus();
    await page.keyboard.type(login);
    await page.keyboard.press('Tab');
    await page.keyboard.type('any');
    await page.keyboard.press('Enter');
    await page.locator('button[type=submit]').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.href.startsWith(`${gatehouse.admin}/console/`) && !url.search);
  };
  /** Tab by Tab until the focus is on what is looked for, as somebody without a mouse goes about it. */
  const tabTo = async (page: Page, text: string): Promise<void> => {
    for (let step = 0; step < 30; step += 1) {
      await page.keyboard.press('Tab');
      if (
        (
          await page
            .locator(':focus')
            .textContent()
            .catch(() => null)
        )?.trim() === text
      )
        return;
    }
    throw new Error(`"${text}" cannot be reached by keyboard.`);
  };

  test('an approver without scripts and without a mouse signs in, reads the call, and approves it; it runs', async () => {
    const response = await call("DELETE FROM orders\nWHERE note = '<b>old</b>'");
    const { page, complaints } = await open({ javaScriptEnabled: false });
    await page.goto(`${gatehouse.admin}/console/`);
    await tabTo(page, 'Sign in');
    await page.keyboard.press('Enter');
    await page.waitForURL(/interaction/);
    await typed(page, 'dora');
    const id = (await page.locator('tbody th').first().textContent()) ?? '';
    await tabTo(page, id);
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`approvals/${id}$`));
    expect((await page.locator('pre').innerText()).trimEnd()).toBe(
      "@@ query at default/orders @@\n+ sql: DELETE FROM orders\n+   WHERE note = '<b>old</b>'",
    );
    expect(await page.locator('dl').innerText()).toContain('sam (desk; groups: dba)');
    await page.locator('#comment').focus();
    await page.keyboard.type('ticket 4711');
    await tabTo(page, 'Approve');
    await page.keyboard.press('Enter');
    await page.getByText('This request is approved').or(page.getByText('This request is consumed')).waitFor();
    expect(await page.locator('dl').innerText()).toMatch(/by dora at .* via console: ticket 4711/);
    expect((await answerOf(response)).error).toBeUndefined();
    expect(server.heard.filter(({ message }) => message.method === 'tools/call')).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  test('a link from another site leads who is signed in to the page, and who made the call to no buttons', async () => {
    const cut = new AbortController();
    const token = await issuer.token({ sub: 'sam', aud: gatehouse.url, groups: ['dba'] });
    const session = await openSession({ url: gatehouse.url, token });
    const args = { sql: 'DELETE FROM orders' };
    const held = session
      .request('tools/call', { name: 'query', arguments: args }, { id: 1, signal: cut.signal })
      .catch(() => undefined);
    const { page, complaints } = await open({ javaScriptEnabled: true });
    await page.goto(`${gatehouse.admin}/console/sign-in`);
    await typed(page, 'sam');
    await page.reload();
    const id = (await page.locator('tbody th').first().textContent()) ?? '';
    // A page of another site, as a chat or a tracker is one.
    await page.goto('about:blank');
    await page.setContent(`<a href="${gatehouse.admin}/console/approvals/${id}">decide</a>`);
    await page.getByText('decide').click();
    await page.getByText('You made this call, so somebody else has to decide.').waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out here.').waitFor();
    await page.goto(`${gatehouse.admin}/console/approvals/${id}`);
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    expect(await page.locator('pre').count()).toBe(0);
    expect(complaints).toEqual([]);
    cut.abort();
    await held;
  });
});
