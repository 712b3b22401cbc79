/**
 * How good masking is, measured on data that the detectors were not written on. Prints its tables; `make bench` prints
 * them too, over more data.
 */
import { expect, test } from 'vitest';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { everythingCommand } from '../fixtures/servers.ts';
import { maskBenign, packageFiles, type Benign } from './benign.ts';
import { precision, recall, scoreGenerated } from './generated.ts';
import { recallOfKnownSecrets } from './recall.ts';
import { resultsOfServers, whyNoServers, withServer } from './servers.ts';

const MINUTES = 60_000;

test('known secrets: recall 1.000 in every encoding', { timeout: 5 * MINUTES }, () => {
  const rows = recallOfKnownSecrets(10);
  console.table(
    rows.map(({ encoding, planted, caught }) => ({ encoding, planted, recall: caught / planted })),
  );
  expect(rows.filter(({ planted, caught }) => caught < planted)).toEqual([]);
  expect(rows.length).toBeGreaterThan(20);
});

test('structured values of another generator: precision and recall', { timeout: 5 * MINUTES }, () => {
  const scores = scoreGenerated(200);
  console.table(scores);
  console.log(`precision ${precision(scores).toFixed(4)}, recall ${recall(scores).toFixed(4)}`);
  expect(precision(scores)).toBeGreaterThanOrEqual(0.98);
  expect(recall(scores)).toBeGreaterThanOrEqual(0.97);
});

test(
  'packages and the reference server: less than one false mask a megabyte',
  { timeout: 10 * MINUTES },
  async () => {
    expectBenign(maskBenign(packageFiles(20), await resultsOfEverything()), 20);
  },
);

describeUnless(
  whyNoServers(),
  'servers that others published',
  () => {
    test('less than one false mask a megabyte of their results', async () => {
      const results = await resultsOfServers(15);
      const all = [...results.values()].flat();
      console.table(
        Array.from(results, ([server, of]) => ({
          server,
          results: of.length,
          KB: JSON.stringify(of).length >> 10,
        })),
      );
      expectBenign(maskBenign([], all), 15);
    });
  },
  10 * MINUTES,
);

function expectBenign(
  { megabytes, results, withheld, masks, falsePerMegabyte }: Benign,
  leastMegabytes: number,
): void {
  console.table([...masks].map(([detector, times]) => ({ detector, times })));
  console.log(
    `${results} results, ${megabytes.toFixed(1)} MB, ${withheld} withheld, ${falsePerMegabyte.toFixed(2)} false masks a MB`,
  );
  expect(megabytes).toBeGreaterThanOrEqual(leastMegabytes);
  expect(withheld).toBe(0);
  expect(falsePerMegabyte).toBeLessThan(1);
}

/** What the reference server answers to whatever can be asked of it without arguments, and to a few calls. */
function resultsOfEverything(): Promise<object[]> {
  return withServer(everythingCommand(), async (client) => {
    const { tools } = await client.listTools();
    const { resources } = await client.listResources();
    const read = await Promise.all(resources.slice(0, 20).map(({ uri }) => client.readResource({ uri })));
    const calls = [
      { name: 'echo', arguments: { message: 'hello' } },
      { name: 'get-sum', arguments: { a: 4111, b: 1111 } },
    ].filter(({ name }) => tools.some((tool) => tool.name === name));
    const called = await Promise.all(calls.map((call) => client.callTool(call)));
    return [{ tools }, { resources }, await client.listPrompts(), ...read, ...called];
  });
}
