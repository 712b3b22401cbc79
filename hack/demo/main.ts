/** `make demo`: a guarded call, end to end, told in scenes. Exits 0 only if each went as told. */
import { once } from 'node:events';
import { sitDown } from './desk.ts';
import { whatToTry } from './keep.ts';
import { NotAsTold, scene } from './narrator.ts';
import { startParts } from './parts.ts';
import { story } from './story.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const quit = (): void => process.exit(130);

async function main(): Promise<void> {
  const began = performance.now();
  console.log(
    'Starting an OpenID Connect provider, an MCP server over PostgreSQL, and gatehouse standalone …',
  );
  await using parts = await startParts();
  await using ana = await sitDown('ana', parts);
  await using bo = await sitDown('bo', parts);
  console.log(`Ready. Ana (support) and Bo (dba) have signed in. Their MCP clients call ${parts.url}.`);
  for (const [index, { title, play }] of story.entries()) {
    scene(index + 1, title);
    await play({ parts, ana, bo });
  }
  console.log(
    `\nAll ${story.length} scenes went as told, in ${((performance.now() - began) / 1000).toFixed(0)} s.`,
  );
  if (process.env['KEEP'] !== '1') return;
  for (const signal of SIGNALS) process.off(signal, quit);
  const asked = Promise.race(SIGNALS.map((signal) => once(process, signal)));
  console.log(whatToTry(parts, ana, bo));
  await asked;
}

for (const signal of SIGNALS) process.on(signal, quit);
try {
  await main();
} catch (error) {
  console.error(error instanceof NotAsTold ? `\nNot as told. ${error.message}` : error);
  process.exitCode = 1;
}
