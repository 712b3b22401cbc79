/** Each fault of node-vault that is known, and what of Vault's own moods a client has to bear. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../../lib/secret.ts';
import { eagerClock, type EagerClock } from '../../../test/fixtures/eager-clock.ts';
import {
  startVaultFront,
  type FrontAnswer,
  type Scripted,
  type VaultFront,
} from '../../../test/fixtures/vault-front.ts';
import { createVaultClient, type VaultClient } from './client.ts';
import { VaultError } from './error.ts';
import { logIn } from './login.ts';
import { createTransport, type Transport, type TransportOptions } from './transport.ts';

const TOKEN = new Secret('hvs.token-of-the-test');
const OK: Scripted = { status: 200, body: { data: { key: 'value' } } };

let front: VaultFront;
let clock: EagerClock;
let transport: Transport | undefined;

beforeEach(async () => {
  front = await startVaultFront(undefined, () => OK);
  clock = eagerClock();
});
afterEach(async () => {
  await transport?.close();
  await front[Symbol.asyncDispose]();
});

function connect(options: Partial<TransportOptions> & { readonly namespace?: string } = {}): VaultClient {
  const { namespace, ...rest } = options;
  transport = createTransport({
    address: front.address,
    caBundle: front.ca,
    clock,
    random: () => 0,
    ...rest,
  });
  return createVaultClient({ address: rest.address ?? front.address, namespace, transport });
}

async function failure(work: Promise<unknown>): Promise<VaultError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof VaultError)) throw new Error(`There was no VaultError: ${String(error)}`);
  return error;
}

/** Answers with each in turn, then with the last of them. */
function inTurn(...answers: FrontAnswer[]): () => FrontAnswer {
  let turn = 0;
  return () => answers[Math.min(turn++, answers.length - 1)] ?? 'cut';
}

describe('what node-vault would do wrong', () => {
  it('sends with every call the token of that call, and no other', async () => {
    const client = connect();
    await client.read('kv/a', TOKEN);
    await client.read('kv/a', new Secret('hvs.after-login'));
    await client.write('auth/jwt/login', { role: 'mcp' });
    expect(front.requests.map(({ headers }) => headers['x-vault-token'])).toEqual([
      'hvs.token-of-the-test',
      'hvs.after-login',
      undefined,
    ]);
  });

  it('carries the token to no other host', async () => {
    await using other = await startVaultFront(undefined, () => OK);
    front.answer = () => ({ status: 307, headers: { location: `${other.address}/v1/kv/a` } });
    const error = await failure(connect().read('kv/a', TOKEN));
    expect(error.code).toBe('vault_redirected');
    expect(error.message).not.toContain(other.address);
    expect(other.requests).toEqual([]);
  });

  it('follows a redirect on the same host once', async () => {
    front.answer = ({ path }) =>
      path === '/v1/kv/b' ? OK : { status: 307, headers: { location: '/v1/kv/b' } };
    expect((await connect().read('kv/a', TOKEN)).data).toEqual({ key: 'value' });
    front.answer = () => ({ status: 307, headers: { location: '/v1/kv/b' } });
    expect((await failure(connect().read('kv/a', TOKEN))).code).toBe('vault_redirected');
  });

  it.each(['kubernetes', 'k8s=a&b', 'team/k8s'])(
    'logs in at the mount %j, spelled as it is',
    async (mount) => {
      front.answer = () => ({
        status: 200,
        body: { auth: { client_token: 'hvs.x', lease_duration: 60, renewable: true } },
      });
      const file = import.meta.filename;
      const shown: string[] = [];
      const onProof = (proof: Secret): void => {
        expect(front.requests).toEqual([]);
        shown.push(proof.reveal());
      };
      const given = await logIn(connect(), { kind: 'kubernetes', mount, file }, { role: 'mcp', onProof });
      expect(shown).toEqual([readFileSync(file, 'utf8').trim()]);
      expect(given.token.reveal()).toBe('hvs.x');
      expect(decodeURIComponent(front.requests[0]?.path ?? '')).toBe(`/v1/auth/${mount}/login`);
      expect(front.requests[0]?.body).toMatchObject({ role: 'mcp' });
    },
  );

  it('takes a path for a path, whatever stands in it', async () => {
    const name = 'a?b#c%2f {{x}} &#x2F; é';
    await connect().read(`kv/${name}`, TOKEN);
    expect(decodeURIComponent(front.requests[0]?.path ?? '')).toBe(`/v1/kv/${name}`);
  });

  it('asks in the namespace of the installation at every call, login included', async () => {
    const client = connect({ namespace: 'team/a' });
    await client.read('kv/a', TOKEN);
    await client.write('auth/jwt/login', {});
    expect(front.requests.map(({ headers }) => headers['x-vault-namespace'])).toEqual(['team/a', 'team/a']);
  });

  it('heeds Retry-After', async () => {
    front.answer = inTurn({ status: 429, headers: { 'retry-after': '3' } }, OK);
    await connect().read('kv/a', TOKEN);
    expect(clock.waits).toEqual([3000]);
  });

  it('takes nothing from the environment', async () => {
    await using wrong = await startVaultFront();
    const names = {
      VAULT_SKIP_VERIFY: 'false',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      VAULT_TOKEN: 'hvs.environment',
      VAULT_NAMESPACE: 'environment',
      VAULT_PREFIX: '/environment',
      VAULT_ADDR: 'https://environment.example',
    };
    for (const [name, text] of Object.entries(names)) vi.stubEnv(name, text);
    try {
      await connect().write('auth/jwt/login', {});
      const error = await failure(connect({ caBundle: wrong.ca }).read('kv/a', TOKEN));
      expect(error.code).toBe('vault_unreachable');
    } finally {
      vi.unstubAllEnvs();
    }
    const [seen] = front.requests;
    expect(front.requests).toHaveLength(1);
    expect(seen?.path).toBe('/v1/auth/jwt/login');
    expect(seen?.headers).not.toHaveProperty('x-vault-token');
    expect(seen?.headers).not.toHaveProperty('x-vault-namespace');
  });

  it('does not wait for ever', async () => {
    front.answer = () => 'hang';
    const error = await failure(connect({ answerMs: 200 }).read('kv/a', TOKEN));
    expect(error.code).toBe('vault_unreachable');
    // It may have been done: nobody does it twice.
    expect(front.requests).toHaveLength(1);
  });

  it('tells no payload to its debug log', async () => {
    const inside = createRequire(createRequire(import.meta.url).resolve('node-vault'));
    const debug = inside('debug') as { enable(names: string): void; disable(): string; log: unknown };
    const said: unknown[] = [];
    debug.log = (...words: unknown[]) => said.push(...words);
    debug.enable('*');
    try {
      await connect().write('database/x', { password: 'hunter2' }, TOKEN);
    } finally {
      debug.disable();
    }
    expect(said).toEqual([]);
  });
});

describe('a Vault that cannot now', () => {
  it.each([412, 429, 472, 473, 502, 503, 504])('is asked again after status %i', async (status) => {
    front.answer = inTurn({ status }, { status }, OK);
    expect((await connect().read('kv/a', TOKEN)).data).toEqual({ key: 'value' });
    expect(clock.waits).toEqual([250, 500]);
  });

  it('is given up on when it stays so, in a sentence', async () => {
    front.answer = () => ({ status: 503, body: { errors: ['Vault is sealed'] } });
    const error = await failure(connect().read('kv/a', TOKEN));
    expect(error).toMatchObject({ code: 'vault_busy', status: 503, temporary: true });
    expect(error.message).toBe('Vault cannot answer now (it is sealed)');
    expect(front.requests.length).toBeLessThan(10);
  });

  it('is not waited for longer than whoever asks would wait', async () => {
    front.answer = () => ({ status: 429, headers: { 'retry-after': '3600' } });
    expect((await failure(connect().read('kv/a', TOKEN))).code).toBe('vault_busy');
    expect(clock.waits).toEqual([]);
  });

  it('is asked again where nobody listens, and not where the answer was cut', async () => {
    const address = front.address;
    await front[Symbol.asyncDispose]();
    expect((await failure(connect({ address }).read('kv/a', TOKEN))).code).toBe('vault_unreachable');
    expect(clock.waits.length).toBeGreaterThan(2);
    front = await startVaultFront(undefined, () => 'cut');
    expect((await failure(connect().read('kv/a', TOKEN))).code).toBe('vault_unreachable');
    expect(front.requests).toHaveLength(1);
  });
});

describe('answers that are none', () => {
  it.each([
    ['half an answer', '{"lease_id":"database/creds/ro/x","data":{"passw'],
    ['a page', '<html>welcome</html>'],
    ['another form', '{"lease_duration":"long"}'],
    ['a list', '[]'],
  ])('refuses %s without quoting it', async (_name, body) => {
    front.answer = () => ({ status: 200, body });
    const error = await failure(connect().read('kv/a', TOKEN));
    expect(error.code).toBe('vault_unreadable');
    expect(error.message).not.toMatch(/passw|html|long/);
  });

  it('refuses an answer that has no end', async () => {
    front.answer = () => ({ status: 200, body: 'x'.repeat(3 * 1024 * 1024) });
    expect((await failure(connect().read('kv/a', TOKEN))).code).toBe('vault_unreadable');
  });

  it('keeps Vault’s own words for the log', async () => {
    front.answer = () => ({ status: 403, body: { errors: ['permission denied', 'x'.repeat(1000)] } });
    const error = await failure(connect().read('kv/a', TOKEN));
    expect(error).toMatchObject({ code: 'vault_refused', status: 403, temporary: false });
    expect(error.message).not.toContain('xxx');
    expect(error.detail).toMatch(/^permission denied; x+$/);
    expect(error.detail?.length).toBeLessThanOrEqual(300);
  });

  it.each(['http://vault.example', 'ftp://127.0.0.1', 'vault'])('does not go to %s', (address) => {
    expect(() => connect({ address })).toThrow('not an https URL');
  });
});
