/** The life of a lease, against a scripted Vault and a clock that the test turns. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credential } from '../../crds/bundle.ts';
import { silentLogger } from '../../lib/log.ts';
import { manualClock, type ManualClock } from '../../test/fixtures/manual-clock.ts';
import { ScriptedVault } from '../../test/fixtures/scripted-vault.ts';
import { startVaultFront, type VaultFront } from '../../test/fixtures/vault-front.ts';
import { CredentialError } from './error.ts';
import type { Lease } from './lease.ts';
import type { LeaseLimits } from './lease/caps.ts';
import { Leases } from './leases.ts';
import type { LenderDeps } from './lender.ts';
import { nodeFiles } from './node-files.ts';

type Declared = Pick<Credential, 'name' | 'scope' | 'source'>;

const dynamic = (scope: Credential['scope'], name = 'db'): Declared => ({
  name,
  scope,
  source: { vault: { role: 'mcp', engine: { dynamic: { mount: 'database', role: 'ro' } } } },
});
const kv: Declared = {
  name: 'api',
  scope: 'Session',
  source: { vault: { role: 'mcp', engine: { kv: { mount: 'kv', path: 'app' } } } },
};
const of = (session: string, request?: string) => ({
  session,
  ...(request === undefined ? {} : { request }),
});

const HOUR = 3_600_000;

let front: VaultFront;
let vault: ScriptedVault;
let clock: ManualClock;
let directory: string;
let journalFile: string;
let known: Map<string, readonly string[]>;
let counts: Record<string, number>;
let held: number;
let opened: Leases[];

beforeEach(async () => {
  front = await startVaultFront();
  vault = new ScriptedVault(front);
  clock = manualClock();
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-leases-'));
  journalFile = join(directory, 'leases', 'tools_orders.jsonl');
  await writeFile(join(directory, 'token'), 'a.projected.token');
  known = new Map();
  counts = {};
  held = 0;
  opened = [];
});
afterEach(async () => {
  vault.before = () => undefined;
  await Promise.all(opened.map((leases) => leases.close()));
  await front[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function count(what: string): (gateway: string, outcome: string) => void {
  return (_gateway, outcome) => (counts[`${what} ${outcome}`] = (counts[`${what} ${outcome}`] ?? 0) + 1);
}

interface Changes extends Partial<LenderDeps> {
  readonly limits?: LeaseLimits;
}

async function open(
  credentials: readonly Declared[],
  { limits: most, ...changes }: Changes = {},
): Promise<Leases> {
  const leases = new Leases({
    gateway: 'tools/orders',
    files: nodeFiles,
    clock,
    random: () => 0,
    known: { set: (owner, values) => void known.set(owner, values) },
    metrics: {
      leases: (_gateway, now) => (held = now),
      minted: count('minted'),
      renewed: count('renewed'),
      revoked: count('revoked'),
    },
    log: silentLogger(),
    journalFile,
    ...changes,
  });
  opened.push(leases);
  await leases.use({ credentials, vault: settings(), limits: most });
  return leases;
}

function settings(): Parameters<Leases['use']>[0]['vault'] {
  const auth = { kind: 'jwt', mount: 'jwt', file: join(directory, 'token') } as const;
  return { address: front.address, caBundle: front.ca, namespace: undefined, auth };
}

/** The values that are told, without those that are for Vault alone. */
function lent(): string[] {
  return [...known].flatMap(([owner, values]) => (owner.includes('/vault/') ? [] : values));
}

function forVault(): string[] {
  return [...known].flatMap(([owner, values]) => (owner.includes('/vault/') ? values : []));
}

function value(lease: Lease, field = 'password'): string | undefined {
  return lease.fields.get(field)?.reveal();
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CredentialError) return error.message;
  throw new Error(`There was no CredentialError: ${String(error)}`);
}

const onFile = async (): Promise<string> => readFile(journalFile, 'utf8').catch(() => '');
const limits = (changes: Partial<LeaseLimits>): LeaseLimits => ({
  held: 1000,
  mintsPerMinute: 100_000,
  atOnce: 8,
  ...changes,
});

describe('whose a lease is', () => {
  it('one for a session however many ask, and never another session’s', async () => {
    const leases = await open([dynamic('Session')]);
    const lent = await Promise.all(
      Array.from({ length: 60 }, (_, index) => leases.lend('db', of(`s${index % 3}`, `r${index}`))),
    );
    expect(vault.count('database/creds/')).toBe(3);
    expect(vault.count('auth/jwt/login')).toBe(1);
    expect(new Set(lent.map((lease) => value(lease))).size).toBe(3);
    expect(lent[0]).toBe(lent[3]);
    expect(held).toBe(3);
  });

  it('one for each request, given back with it', async () => {
    const leases = await open([dynamic('Request')]);
    const [one, two] = [await leases.lend('db', of('s', 'r1')), await leases.lend('db', of('s', 'r2'))];
    expect(value(one)).not.toBe(value(two));
    leases.endRequest('s', 'r1');
    await expect.poll(() => vault.live.size).toBe(1);
    leases.endSession('s');
    await expect.poll(() => vault.live.size).toBe(0);
  });

  it('one for the pod, whoever asks; and the pod’s own where no caller is certain', async () => {
    const leases = await open([dynamic('Pod'), dynamic('Session', 'own')]);
    expect(await leases.lend('db', of('s1'))).toBe(await leases.lend('db', of('s2')));
    leases.endSession('s1');
    expect(await leases.lend('own', 'pod')).not.toBe(await leases.lend('own', of('s1')));
    expect(vault.live.size).toBe(3);
  });

  it('is asked for with a token that is masked like a lease, and so is what Vault is shown for it', async () => {
    const leases = await open([dynamic('Session')]);
    await leases.lend('db', of('s'));
    const [token] = vault.tokens;
    expect(forVault()).toEqual(['a.projected.token', token]);
    vault.tokens.clear();
    clock.advance(60_000);
    await leases.lend('db', of('another'));
    const [fresh] = vault.tokens;
    expect(fresh).not.toBe(token);
    expect(forVault()).toEqual(['a.projected.token', fresh]);
    await leases.close();
    expect(forVault()).toEqual([]);
  });

  it('is masked and on file before anybody has it, by its id alone', async () => {
    const leases = await open([dynamic('Session')]);
    const lease = await leases.lend('db', of('s'));
    expect(lent()).toEqual(['v-user-1', 'minted-password-1']);
    expect(await onFile()).toContain('database/creds/ro/1');
    expect(await onFile()).not.toMatch(/password|v-user|hvs/);
    expect(JSON.stringify(lease)).not.toContain('minted-password');
  });

  it('is given back when its session ends while it is made', async () => {
    const leases = await open([dynamic('Session')]);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    vault.before = ({ path }) => (path.includes('/creds/') ? promise : undefined);
    const lending = refusal(leases.lend('db', of('s')));
    await expect.poll(() => vault.count('database/creds/')).toBe(1);
    leases.endSession('s');
    resolve(undefined);
    expect(await lending).toContain('what it was for has ended');
    await expect.poll(() => [vault.live.size, held]).toEqual([0, 0]);
  });

  it('is not made longer for work that asks after its session has ended', async () => {
    const leases = await open([dynamic('Session')]);
    await leases.lend('db', of('s'));
    leases.endSession('s');
    await leases.lend('db', of('s'));
    clock.advance(2 * HOUR);
    expect(vault.count('sys/leases/renew')).toBe(0);
    expect(held).toBe(0);
  });
});

describe('how long a lease lives', () => {
  it('is renewed at two thirds, and through a 503 or ten', async () => {
    const leases = await open([dynamic('Session')], { patience: { patienceMs: 0 } });
    const lease = await leases.lend('db', of('s'));
    let failures = 10;
    vault.before = ({ path }) =>
      path.endsWith('leases/renew') && failures-- > 0
        ? { status: failures % 2 === 0 ? 503 : 500, body: { errors: ['x'] } }
        : undefined;
    clock.advance((HOUR * 2) / 3);
    for (let turn = 0; turn < 12; turn += 1) {
      await expect
        .poll(() => (counts['renewed failed'] ?? 0) + (counts['renewed ok'] ?? 0))
        .toBeGreaterThan(turn - 1);
      clock.advance(10_000);
    }
    await expect.poll(() => counts['renewed ok']).toBe(1);
    clock.advance(HOUR / 2);
    expect(await leases.lend('db', of('s'))).toBe(lease);
    expect(vault.count('database/creds/')).toBe(1);
  });

  it('is followed by another before its maximum, and still holds for who uses it', async () => {
    const leases = await open([dynamic('Session')]);
    const first = await leases.lend('db', of('s'));
    vault.renewsTo = 600;
    clock.advance((HOUR * 2) / 3);
    await expect.poll(() => counts['renewed ok']).toBe(1);
    clock.advance(400_000);
    await expect.poll(() => vault.count('database/creds/')).toBe(2);
    await expect.poll(() => held).toBe(2);
    const second = await leases.lend('db', of('s'));
    expect(value(second)).not.toBe(value(first));
    // No longer lent, not revoked, masked.
    expect(vault.live.size).toBe(2);
    expect([...known.values()].flat()).toContain(value(first));
    clock.advance(200_000);
    expect(held).toBe(1);
  });

  it('is followed by none that nobody would use', async () => {
    vault.renewable = false;
    const leases = await open([dynamic('Session')]);
    await leases.lend('db', of('s'));
    clock.advance((HOUR * 2) / 3);
    await expect.poll(() => vault.count('database/creds/')).toBe(2);
    await expect.poll(() => held).toBe(2);
    clock.advance(2 * HOUR);
    expect(vault.count('database/creds/')).toBe(2);
    expect(held).toBe(0);
  });

  it('is used until its real end when Vault is gone for ten minutes', async () => {
    vault.ttl = 1800;
    const leases = await open([dynamic('Session')], { patience: { patienceMs: 0 } });
    const first = await leases.lend('db', of('s'));
    clock.advance(15 * 60_000);
    vault.before = () => 'cut';
    for (let minute = 0; minute < 10; minute += 1) {
      clock.advance(60_000);
      expect(await leases.lend('db', of('s'))).toBe(first);
      expect(await refusal(leases.lend('db', of(`new${minute}`)))).toMatch(
        /not available: Vault cannot be reached/,
      );
    }
    vault.before = () => undefined;
    clock.advance(10_000);
    await expect.poll(() => counts['renewed ok']).toBe(1);
    clock.advance(20 * 60_000);
    expect(await leases.lend('db', of('s'))).toBe(first);
  });

  it('is not used after its end', async () => {
    const leases = await open([dynamic('Session')], { patience: { patienceMs: 0 } });
    await leases.lend('db', of('s'));
    vault.before = () => 'cut';
    clock.advance(HOUR);
    expect(await refusal(leases.lend('db', of('s')))).toContain('Vault cannot be reached');
    vault.before = () => undefined;
    clock.advance(10_000);
    expect(value(await leases.lend('db', of('s')))).toBe('minted-password-2');
  });

  it('asks Vault little when the clock jumps by a month', async () => {
    const leases = await open([dynamic('Session'), kv]);
    await leases.lend('db', of('s'));
    clock.advance(768 * HOUR);
    await leases.lend('db', of('s'));
    expect(vault.seen.length).toBeLessThan(20);
  });
});

describe('a lease that was revoked under us', () => {
  it('is noticed when it is renewed', async () => {
    const leases = await open([dynamic('Session')]);
    const first = await leases.lend('db', of('s'));
    vault.live.clear();
    clock.advance((HOUR * 2) / 3);
    await expect.poll(() => held).toBe(0);
    expect(value(await leases.lend('db', of('s')))).not.toBe(value(first));
  });

  it('is replaced once when the upstream refuses it, whoever says so', async () => {
    const leases = await open([dynamic('Session')]);
    const first = await leases.lend('db', of('s'));
    const [second, again] = await Promise.all([
      leases.replace('db', of('s'), first),
      leases.replace('db', of('s'), first),
    ]);
    expect(second).toBe(again);
    expect(vault.count('database/creds/')).toBe(2);
    expect(await refusal(leases.replace('db', of('s'), second))).toContain('made just now');
    await expect.poll(() => vault.live.has('database/creds/ro/1')).toBe(false);
  });

  it('goes with its token, and one login makes both anew', async () => {
    const leases = await open([dynamic('Session')]);
    await leases.lend('db', of('s1'));
    await leases.lend('db', of('s2'));
    vault.tokens.clear();
    vault.live.clear();
    clock.advance((HOUR * 2) / 3);
    await expect.poll(() => held).toBe(0);
    await Promise.all([leases.lend('db', of('s1')), leases.lend('db', of('s2'))]);
    expect(vault.count('auth/jwt/login')).toBe(2);
    expect(held).toBe(2);
  });

  it('is followed under a new token before the old one ends', async () => {
    vault.tokenTtl = 7200;
    vault.ttl = 36_000;
    const leases = await open([dynamic('Session')]);
    const first = await leases.lend('db', of('s'));
    vault.before = ({ path }) =>
      path.endsWith('renew-self')
        ? { status: 200, body: { auth: { client_token: 'x', lease_duration: 2400, renewable: true } } }
        : undefined;
    clock.advance(4_800_000);
    await expect.poll(() => vault.count('auth/jwt/login')).toBe(2);
    clock.advance(1_600_000);
    await expect.poll(() => vault.count('database/creds/')).toBe(2);
    await expect.poll(() => held).toBe(2);
    expect(value(await leases.lend('db', of('s')))).not.toBe(value(first));
    clock.advance(800_000);
    expect(held).toBe(1);
  });
});

describe('caps', () => {
  it('1,000 sessions at once get what may be held, each once, and the rest a sentence', async () => {
    const leases = await open([dynamic('Session')], { limits: limits({ held: 100 }) });
    const work = Array.from({ length: 1000 }, (_, index) => leases.lend('db', of(`s${index}`)));
    const again = Array.from({ length: 100 }, (_, index) => leases.lend('db', of(`s${index}`)));
    const outcomes = await Promise.allSettled([...work, ...again]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(200);
    expect(vault.count('database/creds/')).toBe(100);
    expect(counts).toMatchObject({ 'minted ok': 100, 'minted refused': 900 });
    expect(await refusal(leases.lend('db', of('more')))).toContain('holds as many leases as it may (100)');
    leases.endSession('s0');
    await leases.lend('db', of('more'));
  });

  it('a policy that allows more or fewer holds from then on, and takes nothing away', async () => {
    const credentials = [dynamic('Session')];
    const leases = await open(credentials, { limits: limits({ held: 2 }) });
    const first = await leases.lend('db', of('a'));
    await leases.lend('db', of('b'));
    expect(await refusal(leases.lend('db', of('c')))).toContain('as many leases as it may (2)');
    await leases.use({ credentials, vault: settings(), limits: limits({ held: 3 }) });
    await leases.lend('db', of('c'));
    await leases.use({ credentials, vault: settings(), limits: limits({ held: 1 }) });
    expect(await leases.lend('db', of('a'))).toBe(first);
    expect(await refusal(leases.lend('db', of('d')))).toContain('as many leases as it may (1)');
    expect(held).toBe(3);
  });

  it('makes no more in a minute than it may', async () => {
    const leases = await open([dynamic('Session')], { limits: limits({ mintsPerMinute: 10 }) });
    const work = Array.from({ length: 15 }, (_, index) => leases.lend('db', of(`s${index}`)));
    const outcomes = await Promise.allSettled(work);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(5);
    expect(await refusal(leases.lend('db', of('s99')))).toMatch(
      /in a minute as it may \(10\); try again in 6 s/,
    );
    clock.advance(6_000);
    await leases.lend('db', of('s99'));
  });

  it('one Pod lease serves 1,000 sessions', async () => {
    const leases = await open([dynamic('Pod')]);
    await Promise.all(Array.from({ length: 1000 }, (_, index) => leases.lend('db', of(`s${index}`))));
    expect(vault.count('database/creds/')).toBe(1);
  });
});

describe('giving back', () => {
  it('all of it at shutdown, the token last', async () => {
    const leases = await open([dynamic('Session')]);
    await Promise.all([leases.lend('db', of('s1')), leases.lend('db', of('s2'))]);
    await leases.close();
    expect(vault.live.size + vault.tokens.size).toBe(0);
    expect(vault.count('sys/leases/revoke')).toBe(2);
    expect(vault.seen.at(-1)).toBe('auth/token/revoke-self');
    expect(await onFile()).toBe('');
    expect(await refusal(leases.lend('db', of('s1')))).toContain('none of that name');
  });

  it('what a policy no longer names, and nothing else', async () => {
    const leases = await open([dynamic('Session', 'a'), dynamic('Session', 'b')]);
    const kept = await leases.lend('b', of('s'));
    await leases.lend('a', of('s'));
    await leases.use({ credentials: [dynamic('Session', 'b')], vault: settings() });
    await expect.poll(() => vault.live.size).toBe(1);
    expect(await leases.lend('b', of('s'))).toBe(kept);
    expect(await refusal(leases.lend('a', of('s')))).toContain('none of that name');
  });

  it('what a process left that was killed', async () => {
    const first = await open([dynamic('Session')]);
    await Promise.all([first.lend('db', of('s1')), first.lend('db', of('s2'))]);
    await writeFile(journalFile, `${await onFile()}{"lease":"database/cr`);
    const second = await open([dynamic('Session')]);
    await expect.poll(() => vault.live.size).toBe(0);
    await second.lend('db', of('s1'));
    await expect
      .poll(async () => (await onFile()).trim().split('\n').at(-1))
      .toContain('database/creds/ro/3');
  });

  it('later, when Vault is away', async () => {
    const leases = await open([dynamic('Session')], { patience: { patienceMs: 0 } });
    await leases.lend('db', of('s'));
    vault.before = () => 'cut';
    leases.endSession('s');
    await expect.poll(() => vault.count('sys/leases/revoke')).toBe(1);
    expect(await onFile()).toContain('database/creds/ro/1');
    vault.before = () => undefined;
    await expect
      .poll(() => {
        clock.advance(1_000);
        return vault.live.size;
      })
      .toBe(0);
    await expect.poll(async () => (await onFile()).includes('"gone"')).toBe(true);
  });

  it('not again and again where the policy forbids it', async () => {
    const leases = await open([dynamic('Session')]);
    await leases.lend('db', of('s'));
    vault.before = ({ path }) =>
      path.endsWith('leases/revoke') ? { status: 403, body: { errors: ['permission denied'] } } : undefined;
    leases.endSession('s');
    await expect.poll(() => counts['revoked failed']).toBe(1);
    clock.advance(HOUR);
    expect(vault.count('sys/leases/revoke')).toBe(1);
  });
});

describe('KV', () => {
  it('is read once for all, before anybody asks, and a rotation is noticed within a minute', async () => {
    const leases = await open([kv]);
    expect(lent()).toEqual(['kv-secret-1']);
    await Promise.all(Array.from({ length: 20 }, (_, index) => leases.lend('api', of(`s${index}`))));
    expect(vault.count('kv/data/app')).toBe(1);
    vault.secret = { token: 'kv-secret-2', port: 5432, on: true, nested: { a: 1 } };
    clock.advance(60_000);
    const lease = await leases.lend('api', of('s'));
    expect([value(lease, 'token'), value(lease, 'port'), value(lease, 'on')]).toEqual([
      'kv-secret-2',
      '5432',
      'true',
    ]);
    expect(lease.fields.has('nested')).toBe(false);
    expect(lease.expiresAt).toBeUndefined();
    expect(await onFile()).toBe('');
  });

  it('is used on while Vault is away, and no longer when it was deleted', async () => {
    const leases = await open([kv], { patience: { patienceMs: 0 } });
    const lease = await leases.lend('api', of('s'));
    vault.before = () => 'cut';
    clock.advance(HOUR);
    expect(await leases.lend('api', of('s'))).toBe(lease);
    vault.before = () => undefined;
    vault.secret = undefined;
    clock.advance(60_000);
    expect(await refusal(leases.lend('api', of('s')))).toContain('nothing at that path (status 404)');
  });

  it('is looked at again when the upstream refuses it', async () => {
    const leases = await open([kv]);
    const lease = await leases.lend('api', of('s'));
    expect(await refusal(leases.replace('api', of('s'), lease))).toContain('Vault has no newer one');
    vault.secret = { token: 'kv-secret-2' };
    expect(value(await leases.replace('api', of('s'), lease), 'token')).toBe('kv-secret-2');
  });

  it('keeps no policy from being put in force when Vault is away', async () => {
    vault.before = () => 'hang';
    const opening = open([kv]);
    await expect.poll(() => vault.seen.length).toBe(1);
    clock.advance(3_000);
    await opening;
  });
});

it('says in a sentence, without a path or a value, why a credential is not to be had', async () => {
  vault.before = ({ path }) =>
    path.includes('/creds/') ? { status: 400, body: { errors: ['unknown role: ro hunter2'] } } : undefined;
  const leases = await open([dynamic('Session')]);
  expect(await refusal(leases.lend('db', of('s')))).toBe(
    'The credential "db" of this gateway is not available: Vault refuses (status 400).',
  );
});
