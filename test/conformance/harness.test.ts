/** The comparison itself, without the proxy: it must pass what changes nothing and catch what does not. */
import { expect, test } from 'vitest';
import { startConformanceServer } from '../fixtures/servers.ts';
import { compare, table } from './compare.ts';
import { type Relay, startFaithfulRelay, startFaultyRelay } from './relays.ts';
import { runSuite, type Selection } from './suite.ts';

const MINUTE = 60_000;

async function compareWith(start: (upstream: string) => Promise<Relay>, selection: Selection) {
  await using direct = await startConformanceServer();
  const alone = await runSuite(direct.url, selection);
  await using behind = await startConformanceServer();
  await using relay = await start(behind.url);
  return compare(selection, alone, await runSuite(relay.url, selection));
}

test('a relay that changes nothing loses nothing', { timeout: MINUTE }, async () => {
  const comparison = await compareWith(startFaithfulRelay, '2025-11-25');
  expect(comparison.passedDirectly).toBeGreaterThanOrEqual(80);
  expect(table([comparison])).toMatch(/^2025-11-25 .* 0$/m);
  expect(comparison.losses).toEqual([]);
});

test('a relay that drops the session and gathers streams is caught', { timeout: MINUTE }, async () => {
  const { losses } = await compareWith(startFaultyRelay, '2025-11-25');
  expect(losses.length).toBeGreaterThan(5);
});

test('a check that passes directly and is missing, skipped or warned of through the proxy is a loss', () => {
  const ran = (key: string, status: 'SUCCESS' | 'WARNING' | 'SKIPPED' | 'FAILURE') => ({
    key,
    status,
    message: 'why',
  });
  const direct = [
    ran('a', 'SUCCESS'),
    ran('b', 'SUCCESS'),
    ran('c', 'SUCCESS'),
    ran('d', 'FAILURE'),
    ran('e', 'SUCCESS'),
  ];
  const through = [ran('a', 'WARNING'), ran('b', 'SKIPPED'), ran('d', 'SKIPPED'), ran('e', 'SUCCESS')];
  expect(compare('x', direct, through).losses.map((loss) => `${loss.key} ${loss.status}`)).toEqual([
    'a WARNING',
    'b SKIPPED',
    'c absent',
  ]);
});
