/** What goes wrong between a lender, a real Vault and a real database, and how it ends. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Lease } from '../../proxy/credential/lease.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { manualClock } from '../fixtures/manual-clock.ts';
import { startPostgres, whyNoPostgres, type Postgres } from '../fixtures/postgres.ts';
import { startVaultFront, type FrontAnswer, type VaultFront } from '../fixtures/vault-front.ts';
import {
  connectDatabase,
  startVault,
  whyNoVault,
  writeDatabaseRole,
  type TestVault,
} from '../fixtures/vault.ts';
import { fromVault, openLender, USERS, type TestLender } from './lender.ts';

const MINUTE = 60_000;
const PREFIX = 'database/creds/ro';
const value = (lease: Lease, field: string): string => lease.fields.get(field)?.reveal() ?? '';
const login = (lease: Lease) => ({ user: value(lease, 'username'), password: value(lease, 'password') });
const patience = { answerMs: 2_000, patienceMs: 1_500 };

describeUnless(whyNoVault() ?? whyNoPostgres(), 'faults of Vault and the database', () => {
  let vault: TestVault;
  let postgres: Postgres;
  let front: VaultFront;

  beforeAll(async () => {
    [vault, postgres] = await Promise.all([startVault(), startPostgres()]);
    await connectDatabase(vault, postgres);
    front = await startVaultFront(vault);
  });
  beforeEach(() => {
    front.answer = () => 'pass';
    front.requests.length = 0;
  });
  afterAll(async () => {
    await front[Symbol.asyncDispose]();
    await vault[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });

  const users = async (): Promise<number> =>
    Number(await postgres.query("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-%'"));

  /** Answers creds so in turn, then as the Vault behind does. */
  function creds(...answers: FrontAnswer[]): void {
    front.answer = ({ path }) => (path.includes('/creds/') ? (answers.shift() ?? 'pass') : 'pass');
  }

  const lend = (lender: TestLender, session: string = randomUUID()) => lender.leases.lend('db', { session });

  test.each<[string, FrontAnswer]>([
    ['standby (429)', { status: 429 }],
    ['a standby for recovery (472)', { status: 472 }],
    ['a standby for reads (473)', { status: 473 }],
    ['busy, for a second (429, Retry-After)', { status: 429, headers: { 'retry-after': '1' } }],
    ['starting (503)', { status: 503, body: { errors: [] } }],
  ])('%s: it is asked again, and one user is made', async (_name, answer) => {
    const before = await users();
    await using lender = await openLender(vault, { at: front });
    creds(answer);
    const lease = await lend(lender);
    expect(await postgres.query('SELECT 1', login(lease))).toBe('1');
    expect(await users()).toBe(before + 1);
    await lender.leases.close();
    expect(await users()).toBe(before);
  });

  test.each<[string, FrontAnswer, string]>([
    ['slow', 'hang', 'Vault cannot be reached'],
    ['gone', 'cut', 'Vault cannot be reached'],
    ['cut off in the middle of a lease', { status: 200, body: '{"lease_id":"database/cr' }, 'not JSON'],
    ['failing', { status: 500, body: { errors: ['internal error'] } }, 'Vault refuses (status 500)'],
    [
      'pointing elsewhere',
      { status: 307, headers: { location: 'https://127.0.0.1:1/v1/x' } },
      'sends requests to another host',
    ],
  ])(
    '%s: the call is refused in a sentence, and the next one gets its user',
    async (_name, answer, sentence) => {
      await using lender = await openLender(vault, { at: front, patience });
      creds(answer);
      await expect(lend(lender)).rejects.toThrow(sentence);
      expect(await postgres.query('SELECT 1', login(await lend(lender)))).toBe('1');
    },
  );

  test('a lease that was revoked under us is noticed at the first refused login, and made anew once', async () => {
    await using lender = await openLender(vault);
    const first = await lend(lender, 's');
    const [id = ''] = await vault.leases(PREFIX);
    await vault.api('PUT', 'sys/leases/revoke', { lease_id: `${PREFIX}/${id}`, sync: true });
    await expect(postgres.query('SELECT 1', login(first))).rejects.toThrow('authentication failed');
    const second = await lender.leases.replace('db', { session: 's' }, first);
    expect(await postgres.query('SELECT 1', login(second))).toBe('1');
    await expect(lender.leases.replace('db', { session: 's' }, second)).rejects.toThrow('made just now');
  });

  test('a token that was revoked under us takes its users along, and one login makes both anew', async () => {
    await using lender = await openLender(vault, { at: front });
    const first = await lend(lender, 's');
    const token = String(
      front.requests.find(({ path }) => path.includes('/creds/'))?.headers['x-vault-token'],
    );
    await vault.api('PUT', 'auth/token/revoke', { token });
    await expect.poll(() => vault.leases(PREFIX), { timeout: 30_000 }).toEqual([]);
    const second = await lender.leases.replace('db', { session: 's' }, first);
    expect(await postgres.query('SELECT 1', login(second))).toBe('1');
    expect(front.requests.filter(({ path }) => path.endsWith('/login'))).toHaveLength(2);
  });

  test('a term that Vault cuts at its maximum is noticed, and the next user is made while the first still is', async () => {
    await writeDatabaseRole(vault, 'short', { ttl: '6s', maxTtl: '9s' });
    const short = fromVault('db', { dynamic: { mount: 'database', role: 'short' } });
    await using lender = await openLender(vault, { credentials: [short] });
    const first = await lend(lender, 's');
    const next = async (): Promise<boolean> => (await lend(lender, 's')) !== first;
    await expect.poll(next, { timeout: 30_000, interval: 100 }).toBe(true);
    const second = await lend(lender, 's');
    // The second was there before the first had ended.
    expect(first.expiresAt ?? 0).toBeGreaterThan((second.expiresAt ?? 0) - 6_000);
    expect(lender.counts['renewed ok']).toBeGreaterThanOrEqual(1);
    expect(await postgres.query('SELECT 1', login(second))).toBe('1');
  });

  test('gone for ten minutes: what is held goes on, what is new is refused, and nothing is lost after', async () => {
    const before = await users();
    const clock = manualClock();
    await using lender = await openLender(vault, { clock, patience });
    const first = await lend(lender, 's');
    clock.advance(35 * MINUTE);
    vault.pause();
    try {
      // Renewing falls due in between, and is tried again and again.
      for (let minute = 0; minute < 10; minute += 1) {
        clock.advance(MINUTE);
        expect(await lend(lender, 's')).toBe(first);
        await delay(50);
      }
      await expect(lend(lender, 'another')).rejects.toThrow('Vault cannot be reached');
      expect(await postgres.query('SELECT 1', login(first))).toBe('1');
    } finally {
      vault.resume();
    }
    const renewed = async (): Promise<number> => {
      clock.advance(5_000);
      await delay(50);
      return lender.counts['renewed ok'] ?? 0;
    };
    await expect.poll(renewed, { timeout: 30_000 }).toBeGreaterThanOrEqual(1);
    expect(await lend(lender, 's')).toBe(first);
    expect(await postgres.query('SELECT 1', login(await lend(lender, 'another')))).toBe('1');
    await lender.leases.close();
    await expect.poll(users, { timeout: 30_000 }).toBe(before);
  });

  test('a database that is down: calls are refused, and users are dropped once it is back', async () => {
    const before = await users();
    await using lender = await openLender(vault);
    await lend(lender, 's1');
    await postgres.stop();
    await expect(lend(lender, 's2')).rejects.toThrow('not available: Vault refuses (status 500)');
    lender.leases.endSession('s1');
    await postgres.start();
    await expect.poll(users, { timeout: 60_000 }).toBe(before);
    expect(await postgres.query('SELECT 1', login(await lend(lender, 's2')))).toBe('1');
  });

  test('1,000 sessions at once: no more users than may be held, none made twice, all of them dropped', async () => {
    const before = await users();
    const limits = { held: 150, mintsPerMinute: 1000, atOnce: 8 };
    await using lender = await openLender(vault, { limits });
    const sessions = Array.from({ length: 1000 }, (_, index) => `s${index}`);
    const outcomes = await Promise.allSettled([...sessions, ...sessions].map((name) => lend(lender, name)));
    const lent = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(lent).toHaveLength(300);
    expect(new Set(lent.map((lease) => value(lease, 'username'))).size).toBe(150);
    expect(await users()).toBe(before + 150);
    expect(lender.counts).toMatchObject({ held: 150, 'minted ok': 150 });
    await lender.leases.close();
    expect(await users()).toBe(before);
    const written = await lender.written();
    expect([...lender.values].filter((minted) => written.includes(minted))).toEqual([]);
    // A name and a password each, the token that asked for them, and what it was given for.
    expect(lender.values.size).toBe(302);
  });

  test('one user of scope Pod serves 1,000 sessions', async () => {
    const before = await users();
    await using lender = await openLender(vault, { credentials: [{ ...USERS, scope: 'Pod' }] });
    await Promise.all(Array.from({ length: 1000 }, () => lend(lender)));
    expect(await users()).toBe(before + 1);
  });

  test('the clock of the machine may jump: terms are counted by one that does not', async () => {
    await using lender = await openLender(vault, { at: front });
    const first = await lend(lender, 's');
    const real = Date.now;
    try {
      for (const jump of [30 * 86_400_000, -30 * 86_400_000]) {
        Date.now = () => real() + jump;
        expect(await lend(lender, 's')).toBe(first);
      }
    } finally {
      Date.now = real;
    }
    expect(lender.counts['minted ok']).toBe(1);
  });
});
