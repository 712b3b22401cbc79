/** The operator's own listener, a real OpenID Connect provider, and a browser without scripts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetch as undiciFetch } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../lib/log.ts';
import { demand, requester } from '../../test/fixtures/approval.ts';
import { bundleOf } from '../../test/fixtures/bundle.ts';
import { freePort } from '../../test/fixtures/child.ts';
import { startIssuer } from '../../test/fixtures/issuer.ts';
import { manualClock, type ManualClock } from '../../test/fixtures/manual-clock.ts';
import { startSignInProvider, type SignInProvider } from '../../test/fixtures/sign-in-provider.ts';
import { createVisitor, signIn, type Page, type Visitor } from '../../test/fixtures/visitor.ts';
import { NOBODY_ASKED } from '../approve/asking.ts';
import { openDirectoryStore } from '../approve/directory-store.ts';
import { NO_FLOORS, STANDALONE_NAMESPACE } from '../compile/index.ts';
import { openDirectoryKeys } from '../keys/installation-keys.ts';
import { openPki } from '../keys/pki.ts';
import { startOperator, type Operator } from '../main.ts';
import { fixedTokens } from '../publish/identity.ts';
import { openDirectoryToolMemory } from '../tools/directory-memory.ts';

let directory: string;
let clock: ManualClock;
let provider: SignInProvider;
let operator: Operator;
let home: string;
let calls = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-console-'));
  clock = manualClock(Date.now());
  const publicUrl = `http://127.0.0.1:${await freePort()}`;
  provider = await startSignInProvider(`${publicUrl}/console/callback`, {
    ...{ dora: ['dba'], sam: ['support', 'dba'], eve: ['support'] },
    crowd: Array.from({ length: 900 }, (_, n) => `group-${n}`),
  });
  const pki = await openPki(directory, clock.now());
  const { issuer, clientId } = provider;
  operator = await startOperator(
    {
      adminListen: { host: '127.0.0.1', port: Number(new URL(publicUrl).port) },
      adminHosts: [],
      control: {
        listen: { host: '127.0.0.1', port: 0 },
        certificate: () => pki.server('control', ['127.0.0.1'], clock.now()),
        checkEveryMs: 43_200_000,
      },
      asWhole: true,
      usernames: [],
      asking: { ...NOBODY_ASKED, publicUrl, console: { issuer, clientId, scopes: ['openid'] } },
    },
    {
      ...{ clock, log: silentLogger(), fetch: undiciFetch, fetchText: undiciFetch },
      store: await openDirectoryStore(join(directory, 'approvals'), silentLogger()),
      keys: await openDirectoryKeys(directory),
      tools: await openDirectoryToolMemory(join(directory, 'tools.json')),
      installation: () => ({ namespace: STANDALONE_NAMESPACE, baseDir: directory, floors: NO_FLOORS }),
      reviewer: fixedTokens([]),
      roots: () => undefined,
      processes: () => [],
      metricsPages: () => [],
    },
  );
  const staff = { kind: 'oidc' as const, name: 'staff', issuer, audiences: ['x'] };
  const bundle = bundleOf({ identity: [{ ...staff, usernameClaim: 'sub', groupsClaim: 'groups' }] });
  const other = bundleOf({
    gateway: { namespace: 'tools', name: 'elsewhere' },
    identity: [{ ...staff, issuer: 'https://elsewhere.test', usernameClaim: 'sub', groupsClaim: 'groups' }],
  });
  operator.board.replace([bundle, other]);
  home = `${publicUrl}/console/`;
});

afterAll(async () => {
  await operator.close();
  await provider[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function held(preview?: string, gateway = demand.gateway): Promise<string> {
  calls += 1;
  const call = {
    ...demand.call,
    digest: calls.toString(16).padStart(64, '0'),
    ...(preview !== undefined && { preview }),
  };
  const by = { ...requester, issuer: provider.issuer, subject: 'sam', username: 'sam' };
  return (await operator.approvals.demand({ ...demand, gateway, requester: by, call })).metadata.name;
}

async function signedIn(login: string): Promise<{ visitor: Visitor; page: Page }> {
  const visitor = createVisitor();
  const started = await visitor.open(`${home}sign-in`);
  return { visitor, page: await signIn(visitor, started, login) };
}
const at = (id: string): string => `${home}approvals/${id}`;
const phaseOf = async (id: string): Promise<string> => (await operator.approvals.get(id)).status.phase;

describe('an approver', () => {
  test('signs in, sees what waits, and decides', async () => {
    const id = await held();
    const { visitor, page } = await signedIn('dora');
    expect(page.url.href).toBe(home);
    expect(page.text).toContain(`<a href="/console/approvals/${id}">${id}</a>`);
    const shown = await visitor.open(at(id));
    for (const part of [
      'sam (staff; groups: support, dba)',
      'deletes rows (70)',
      'rule tools/destructive-sql',
      '+ sql: DELETE FROM orders WHERE id = 7',
    ])
      expect(shown.text).toContain(part);
    const done = await visitor.submit(shown, `/approvals/${id}`, {
      verdict: 'Approve',
      comment: ' ticket 4711 ',
    });
    expect(done.status).toBe(200);
    expect(done.text).toContain('This request is approved; there is nothing left to decide.');
    expect((await operator.approvals.get(id)).spec.decisions).toMatchObject([
      { by: 'dora', subject: 'dora', verdict: 'Approve', via: 'console', comment: 'ticket 4711' },
    ]);
    const again = await visitor.submit(shown, `/approvals/${id}`, { verdict: 'Deny' });
    expect([again.status, again.text.includes('was approved')]).toEqual([409, true]);
  });

  test('two at once are one decision', async () => {
    const id = await held();
    const [one, other] = [await signedIn('dora'), await signedIn('dora')];
    const pages = await Promise.all([one.visitor.open(at(id)), other.visitor.open(at(id))]);
    const answers = await Promise.all([
      one.visitor.submit(pages[0], '/approvals/', { verdict: 'Approve' }),
      other.visitor.submit(pages[1], '/approvals/', { verdict: 'Deny' }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await operator.approvals.get(id)).spec.decisions).toHaveLength(1);
  });

  test('is told that it is too late', async () => {
    const id = await held();
    const { visitor } = await signedIn('dora');
    const page = await visitor.open(at(id));
    await operator.approvals.cancel(id);
    const late = await visitor.submit(page, '/approvals/', { verdict: 'Approve' });
    expect([late.status, late.text.includes('was cancelled')]).toEqual([409, true]);
  });

  test('sees what a caller wrote as text', async () => {
    const id = await held(JSON.stringify({ sql: '</pre><script>alert(1)</script>&amp;"\'' }));
    const { visitor } = await signedIn('dora');
    const { text } = await visitor.open(at(id));
    expect(text).toContain('&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&quot;&#39;');
    expect(text).not.toContain('<script');
  });

  test('signs out', async () => {
    const { visitor, page } = await signedIn('dora');
    const out = await visitor.submit(page, '/sign-out', {});
    expect(out.text).toContain('You are signed out here.');
    expect((await visitor.open(home)).status).toBe(401);
  });
});

describe('nobody else decides', () => {
  test('not who made the call: there is no form, and a form made by hand is refused', async () => {
    const id = await held();
    const { visitor, page } = await signedIn('sam');
    const shown = await visitor.open(at(id));
    expect(shown.text).toContain('You made this call, so somebody else has to decide.');
    expect(shown.text).not.toContain('value="Approve"');
    const form = `<form action="/console/approvals/${id}">${/<input type="hidden"[^>]*>/.exec(page.text)?.[0] ?? ''}</form>`;
    const forced = await visitor.submit({ ...page, text: form }, '/approvals/', { verdict: 'Approve' });
    expect([forced.status, await phaseOf(id)]).toEqual([403, 'Pending']);
    expect(forced.text).toContain('sam made this call');
  });

  test('not who is in no group of the rule: they do not even see it', async () => {
    const id = await held();
    const { visitor, page } = await signedIn('eve');
    expect(page.text).not.toContain(id);
    expect((await visitor.open(at(id))).status).toBe(403);
  });

  test('not for a gateway that trusts another issuer', async () => {
    const id = await held(undefined, 'tools/elsewhere');
    const { visitor, page } = await signedIn('dora');
    expect(page.text).not.toContain(id);
    expect((await visitor.open(at(id))).status).toBe(403);
  });

  test('not whoever opens a link and is not signed in', async () => {
    const id = await held();
    const page = await createVisitor().open(at(id));
    expect(page.status).toBe(401);
    expect(page.text).not.toContain('DELETE');
    expect(page.text).toContain(`/console/sign-in?to=%2Fconsole%2Fapprovals%2F${id}`);
  });
});

describe('a form', () => {
  test.each([
    ['of another site', { origin: 'https://evil.test' }, true],
    ['of no site', {}, true],
    ['of a sandboxed page', { origin: 'null' }, true],
    ['without the token of the session', { origin: 'own' }, false],
  ])('%s is refused', async (_whose, headers: { origin?: string }, withToken) => {
    const id = await held();
    const { visitor } = await signedIn('dora');
    const { text } = await visitor.open(at(id));
    const token = /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const cookie = [...visitor.cookies(new URL(home).host)]
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');
    const origin = headers.origin === 'own' ? new URL(home).origin : headers.origin;
    const response = await fetch(at(id), {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, ...(origin !== undefined && { origin }) },
      body: new URLSearchParams({ verdict: 'Approve', token: withToken ? token : 'guessed' }),
    });
    expect([response.status, await phaseOf(id)]).toEqual([403, 'Pending']);
  });
});

describe('signing in', () => {
  test('leads back to the page that was asked for, and to no other site', async () => {
    const id = await held();
    const visitor = createVisitor();
    const started = await visitor.open(`${home}sign-in?to=/console/approvals/${id}`);
    expect((await signIn(visitor, started, 'dora')).url.href).toBe(at(id));
    for (const to of ['https://evil.test/', '//evil.test/', '/console/..//evil.test', '/v1/status']) {
      const other = createVisitor();
      const page = await other.open(`${home}sign-in?to=${encodeURIComponent(to)}`);
      expect((await signIn(other, page, 'dora')).url.href).toBe(home);
    }
  });

  test('takes the answer to one’s own attempt only', async () => {
    const started = await fetch(`${home}sign-in`, { redirect: 'manual' });
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const cookie = started.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const back = async (query: string, own = cookie) =>
      (await fetch(`${home}callback?${query}`, { headers: { cookie: own }, redirect: 'manual' })).status;
    expect(await back(`state=${state}&code=x`, '')).toBe(401);
    expect(await back('state=other&code=x')).toBe(401);
    expect(await back(`state=${state}&code=x&iss=https://evil.test`)).toBe(401);
    // Its provider says that it names itself (RFC 9207).
    expect(await back(`state=${state}&code=x`)).toBe(401);
    expect(await back(`state=${state}&error=access_denied&iss=${provider.issuer}`)).toBe(401);
    expect(await back(`state=${state}&code=forged&iss=${provider.issuer}`)).toBe(401);
  });

  test('a token of another client, of another issuer, or that has expired is nobody’s session', async () => {
    const elsewhere = await startIssuer();
    const claims = { iss: provider.issuer, sub: 'dora', groups: ['dba'], aud: provider.clientId };
    for (const token of [
      await elsewhere.token(claims),
      await elsewhere.token({ ...claims, iss: elsewhere.url }),
      'x.y.z',
    ]) {
      const response = await fetch(home, { headers: { cookie: `gatehouse-session-0=${token}` } });
      expect(response.status).toBe(401);
    }
    await elsewhere[Symbol.asyncDispose]();
    const { visitor } = await signedIn('dora');
    expect((await visitor.open(home)).status).toBe(200);
    clock.advance(2 * 3_600_000);
    expect((await visitor.open(home)).status).toBe(401);
    clock.advance(-2 * 3_600_000);
  });

  test('with more groups than a browser keeps is refused with a sentence', async () => {
    const { page } = await signedIn('crowd');
    expect([page.status, page.text.includes('larger than a browser would keep')]).toEqual([413, true]);
  });

  test('sets cookies that scripts and other sites do not get', async () => {
    const { visitor } = await signedIn('dora');
    const response = await fetch(`${home}sign-in`, { redirect: 'manual' });
    expect(response.headers.getSetCookie()[0]).toMatch(/; HttpOnly; SameSite=Lax$/);
    expect([...visitor.cookies(new URL(home).host).keys()]).toEqual(['gatehouse-session-0']);
  });
});

test('pages run no scripts and are framed by nobody; a link from elsewhere is opened again from here', async () => {
  const { visitor } = await signedIn('dora');
  const { headers } = await visitor.open(home);
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(headers.get('cache-control')).toBe('no-store');
  const response = await fetch(`${home}approvals/orders-x`, { headers: { 'sec-fetch-site': 'cross-site' } });
  expect(await response.text()).toContain('content="0;url=/console/approvals/orders-x"');
  expect((await fetch(home, { headers: { host: 'evil.test' } })).status).toBe(401);
});
