import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bundle } from '#bundle';
import { silentLogger } from '../lib/log.ts';
import { bundleOf } from '../test/fixtures/bundle.ts';
import { ControlClient } from './control/client.ts';
import { lastBundlesIn } from './control/last-bundles.ts';
import { follow } from './follow.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-follow-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Nobody listens there: port 9 is the one that discards. */
const nobody = () =>
  new ControlClient({
    url: 'https://127.0.0.1:9',
    ca: () => Promise.resolve(''),
    token: () => Promise.resolve('t'),
  });

async function start(patienceMs: number): Promise<readonly Bundle[] | undefined> {
  const stop = new AbortController();
  const client = nobody();
  let inForce: readonly Bundle[] | undefined;
  const running = follow({
    client,
    gateways: { apply: (bundles) => Promise.resolve(((inForce = bundles), [])) },
    last: lastBundlesIn(directory),
    roots: { take: () => Promise.resolve() },
    log: silentLogger(),
    stop: stop.signal,
    onReady: () => stop.abort(),
    patienceMs,
  });
  const givenUp = setTimeout(() => stop.abort(), 3_000);
  await running;
  clearTimeout(givenUp);
  await client.close();
  return inForce;
}

test('a start without the operator guards as before', async () => {
  const bundles = [bundleOf({ revision: 'kept' })];
  await lastBundlesIn(directory).keep(bundles);
  expect(await start(10)).toEqual(bundles);
});

test('a first start without the operator guards nothing, and says that it is ready to nobody', async () => {
  expect(await start(10)).toBeUndefined();
});

test('what was damaged is not believed', async () => {
  await writeFile(join(directory, 'bundles.json'), '[{"revision":"x"}]');
  expect(await lastBundlesIn(directory).load()).toBeUndefined();
});

test('sealing keys are kept where only their owner reads them', async () => {
  const state = join(directory, 'state');
  await lastBundlesIn(state).keep([bundleOf()]);
  expect((await stat(join(state, 'bundles.json'))).mode & 0o777).toBe(0o600);
  expect(await lastBundlesIn(state).load()).toEqual([bundleOf()]);
});
