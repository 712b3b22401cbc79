/** No check that passes directly may end otherwise through the proxy, with a profile that lets everything pass. */
import { afterAll, expect, test } from 'vitest';
import { startGatehouse, type Manifest } from '../fixtures/gatehouse.ts';
import { type RunningServer, startConformanceServer, startEverything } from '../fixtures/servers.ts';
import { compare, type Comparison, table } from './compare.ts';
import { runSuite, type Selection } from './suite.ts';

interface Case {
  readonly name: string;
  readonly start: () => Promise<RunningServer>;
  readonly selection: Selection;
  /** What the server passes by itself at least; below it, the comparison would say little. */
  readonly atLeast: number;
}

const cases: readonly Case[] = [
  { name: 'fixture, 2025-06-18', start: startConformanceServer, selection: '2025-06-18', atLeast: 50 },
  { name: 'fixture, 2025-11-25', start: startConformanceServer, selection: '2025-11-25', atLeast: 80 },
  { name: 'fixture, 2026-07-28', start: startConformanceServer, selection: '2026-07-28', atLeast: 160 },
  {
    name: 'server-everything, 2025-11-25',
    start: () => startEverything('streamableHttp'),
    selection: '2025-11-25',
    atLeast: 40,
  },
];

const comparisons: Comparison[] = [];
afterAll(() => console.log(`\n${table(comparisons)}\n`));

function openToAll(upstream: string): Manifest {
  return {
    kind: 'McpGateway',
    metadata: { name: 'conformance' },
    spec: {
      server: { url: upstream, mayAsk: ['Sampling', 'Elicitation', 'Roots'] },
      identity: [{ name: 'anyone', anonymous: {} }],
      access: [{ anonymous: true, tools: ['*'], prompts: ['*'], resources: ['*'], methods: ['*'] }],
      limits: { callsPerMinute: 100_000 },
    },
  };
}

async function directly({ start, selection }: Case) {
  await using server = await start();
  return await runSuite(server.url, selection);
}

async function throughTheProxy({ start, selection }: Case) {
  await using server = await start();
  await using gatehouse = await startGatehouse(() => [openToAll(server.url)]);
  return await runSuite(gatehouse.url, selection);
}

test.for(cases)('$name: nothing is lost on the way', { timeout: 400_000 }, async (kase) => {
  const comparison = compare(kase.name, await directly(kase), await throughTheProxy(kase));
  comparisons.push(comparison);
  expect(comparison.passedDirectly).toBeGreaterThanOrEqual(kase.atLeast);
  expect(comparison.losses).toEqual([]);
});
