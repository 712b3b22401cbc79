/** What egress costs: a small HTTPS call and 100 MB, each against going direct, with a credential put in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { EgressWorld, freshPlaceholder } from '../fixtures/egress-world.ts';
import { startNode } from '../fixtures/child.ts';
import { median } from './figures.ts';

const HOST = 'api.example.test';
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const script = (name: string): string => resolve(import.meta.dirname, name);
const figures = z.object({ smallMs: z.number(), mbPerSecond: z.number() });
type Figures = z.infer<typeof figures>;

const placeholder = freshPlaceholder();
await using world = await EgressWorld.create();
const outside = join(world.directory, 'outside.pem');
writeFileSync(outside, world.outsideCa);

const upstream = spawn(process.execPath, [script('egress-upstream.ts')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
upstream.stdin.end(JSON.stringify(world.identityFor([HOST])));
const [line] = (await once(createInterface({ input: upstream.stdout }), 'line')) as [string];
const [http1 = 0, http2 = 0] = z.array(z.number()).parse(JSON.parse(line));

async function measure(...args: string[]): Promise<Figures> {
  const common = ['--host', HOST, '--token', placeholder.value];
  await using client = startNode([script('egress-client.ts'), ...common, ...args]);
  const [said] = await client.printed(/^\{.*\}$/m, 120_000);
  return figures.parse(JSON.parse(said));
}

const results: Record<string, { direct: Figures[]; egress: Figures[] }> = {};
for (const [protocol, port] of [['http/1.1', http1] as const, ['h2', http2] as const]) {
  world.lead(HOST, [{ address: '127.0.0.1', port }]);
  await world.start({
    allow: [{ host: '127.0.0.1', port }],
    credentials: [
      {
        name: 'api',
        whenShared: 'Pod',
        hosts: [{ host: HOST, port: 443 }],
        header: { name: 'Authorization', value: 'Bearer {{ token }}' },
        placeholder,
      },
    ],
  });
  const rounds: { direct: Figures[]; egress: Figures[] } = { direct: [], egress: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.direct.push(await measure('--protocol', protocol, '--ca', outside, '--port', String(port)));
    const ca = join(world.trust, 'ca.pem');
    rounds.egress.push(await measure('--protocol', protocol, '--ca', ca, '--proxy', String(world.port)));
  }
  results[protocol] = rounds;
}
upstream.kill();
const middle = (of: readonly Figures[], key: keyof Figures): number =>
  median(of.map((figure) => figure[key]));

/** Medians by protocol. */
export const egress = Object.entries(results).map(([protocol, { direct, egress: through }]) => ({
  protocol,
  directSmallMs: middle(direct, 'smallMs'),
  smallMs: middle(through, 'smallMs'),
  directMbPerSecond: middle(direct, 'mbPerSecond'),
  mbPerSecond: middle(through, 'mbPerSecond'),
}));

console.log('A small HTTPS call and 100 MB of a server to the outside, directly and through egress:');
console.table(
  egress.map(({ protocol, directSmallMs, smallMs, directMbPerSecond, mbPerSecond }) => ({
    protocol,
    'direct ms': directSmallMs.toFixed(2),
    'egress ms': smallMs.toFixed(2),
    'direct MB/s': directMbPerSecond.toFixed(0),
    'egress MB/s': mbPerSecond.toFixed(0),
    '× direct': (mbPerSecond / directMbPerSecond).toFixed(2),
  })),
);
