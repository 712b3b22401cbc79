import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credential } from '../../crds/bundle.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import type { Cleared } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { createCredentials, headersFor, nodeFiles, type Credentials } from './index.ts';
import { Leases } from './leases.ts';

let directory: string;
let path: string;
let time: number;
let known: Map<string, readonly string[]>;
let reads: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-credential-'));
  path = join(directory, 'backend.json');
  time = 1_000_000;
  known = new Map();
  reads = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function credential(changes: Partial<Credential> = {}): Credential {
  return {
    name: 'backend',
    scope: 'Session',
    whenShared: 'Queue',
    source: { devFile: { path } },
    inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
    ...changes,
  };
}

/** Puts the credentials in force as a bundle would. */
async function create(credentials: readonly Credential[] = [credential()]): Promise<Credentials> {
  const leases = new Leases({
    gateway: 'tools/orders',
    files: {
      version: nodeFiles.version,
      read: (file) => {
        reads += 1;
        return nodeFiles.read(file);
      },
    },
    clock: { now: () => time, after: (ms, run) => systemClock.after(ms, run) },
    random: () => 0,
    known: { set: (owner, values) => void known.set(owner, values) },
    metrics: {
      leases: () => undefined,
      minted: () => undefined,
      renewed: () => undefined,
      revoked: () => undefined,
    },
    log: silentLogger(),
    journalFile: join(directory, 'leases.jsonl'),
  });
  await leases.use({ credentials, vault: undefined });
  return createCredentials(credentials, leases);
}

/** Replaces the file as Kubernetes and Vault agents do: whole, by rename. */
async function write(content: unknown): Promise<void> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

const exchange: Cleared = {
  exchange: 'x1',
  at: 0,
  message: { kind: 'notification', method: 'ping', params: {}, text: '{}' },
  caller: {
    provider: 'staff',
    issuer: 'https://issuer.example',
    subject: 'alice',
    username: 'alice',
    clientId: undefined,
    groups: [],
    serviceAccount: undefined,
    spiffeId: undefined,
    claims: {},
    anonymous: false,
  },
  session: { id: 's1', era: 'legacy', revision: '2025-06-18' },
  authorized: true,
  judgement: {
    decision: 'allow',
    rule: undefined,
    ruleRevision: undefined,
    reason: '',
    risk: 0,
    parsed: { classes: [], targets: [], risk: [] },
    audited: [],
  },
  approval: undefined,
};

async function headers(credentials: Credentials): Promise<Record<string, string>> {
  return headersFor((await credentials.credential(exchange)).inject);
}

async function refusal(credentials: Credentials): Promise<Refusal> {
  const error: unknown = await credentials.credential(exchange).catch((reason: unknown) => reason);
  if (!(error instanceof Refusal)) throw new Error('The call was not refused.');
  expect(error.code).toBe('credential_unavailable');
  return error;
}

describe('createCredentials', () => {
  it('puts the header in and hides its value from whoever prints the exchange', async () => {
    await write({ key: 'first-value' });
    const credentials = await create();
    const credentialed = await credentials.credential(exchange);
    expect(headersFor(credentialed.inject)).toEqual({ 'X-Api-Key': 'first-value' });
    expect(JSON.stringify(credentialed)).not.toContain('first-value');
  });

  it('tells all values to the masker before the first use, and expiresAt not', async () => {
    await write({ key: 'first-value', unused: 'other-value', expiresAt: '2999-01-01T00:00:00Z' });
    await create();
    expect([...known]).toEqual([['tools/orders/backend', ['first-value', 'other-value']]]);
  });

  it('uses a rotated value at the next look', async () => {
    await write({ key: 'first-value' });
    const credentials = await create();
    await headers(credentials);
    await write({ key: 'second-value' });
    time += 250;
    expect(await headers(credentials)).toEqual({ 'X-Api-Key': 'second-value' });
    expect(known.get('tools/orders/backend')).toEqual(['second-value']);
  });

  it('reads a file once while it does not change, however many ask', async () => {
    await write({ key: 'first-value' });
    const credentials = await create();
    await Promise.all([headers(credentials), headers(credentials), headers(credentials)]);
    time += 10_000;
    await headers(credentials);
    // Once before the first call, and not again.
    expect(reads).toBe(1);
  });

  it('lends nothing that has expired, and the new one as soon as it is there', async () => {
    await write({ key: 'first-value', expiresAt: new Date(time + 100).toISOString() });
    const credentials = await create();
    await headers(credentials);
    time += 100;
    expect((await refusal(credentials)).message).toMatch(/has expired/);
    await write({ key: 'second-value', expiresAt: new Date(time + 100).toISOString() });
    expect(await headers(credentials)).toEqual({ 'X-Api-Key': 'second-value' });
  });

  it.each([
    ['not JSON hunter2', 'not valid JSON'],
    ['{"key":"hunter2","key":"b"}', 'not valid JSON'],
    [['hunter2'], 'not a JSON object'],
    [{ key: 12345678 }, 'the field "key" in its file is not a string'],
    [{ key: 'hunter2', expiresAt: 'tomorrow' }, 'expiresAt in its file is not a time'],
    [{ other: 'hunter2' }, 'has no field "key"'],
    [{ key: 'hunter2\r\nHost: evil' }, 'characters that no HTTP header may hold'],
  ])('refuses the call when the file holds %j, without a word of it', async (content, sentence) => {
    await write(content);
    const { message } = await refusal(await create());
    expect(message).toContain(sentence);
    expect(message).toContain('"backend"');
    expect(message).not.toMatch(/hunter2|12345678|evil/);
    expect(message).not.toContain(directory);
  });

  it('refuses when the file is not there, and again when it goes away', async () => {
    const credentials = await create();
    expect((await refusal(credentials)).message).toContain('ENOENT');
    await write({ key: 'first-value' });
    expect(await headers(credentials)).toEqual({ 'X-Api-Key': 'first-value' });
    await rm(path);
    time += 250;
    expect((await refusal(credentials)).message).toContain('ENOENT');
  });

  it('survives a preload that finds nothing', async () => {
    await expect(create()).resolves.toBeDefined();
  });

  it('refuses two credentials for one header', async () => {
    const second = credential({
      name: 'second',
      inject: { server: { header: { name: 'x-api-key', value: '{{ key }}' } } },
    });
    await expect(create([credential(), second])).rejects.toThrow(
      'another one of this gateway sets the header x-api-key too',
    );
  });
});
