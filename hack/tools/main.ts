/**
 * Brings the parts that tests need and npm does not bring. What is there already costs nothing.
 *
 *   node hack/tools/main.ts [--list] [PART…]
 */
import { parseArgs } from 'node:util';
import { cacheDirectory } from './config.ts';
import { PartError, type Part } from './part.ts';
import { PARTS } from './parts.ts';
import { CommandFailed } from './run.ts';

/** Often enough that a build of ten minutes is seen to be alive. */
const HEARTBEAT = 30_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean', default: false } },
});
process.exitCode = values.list ? list() : await bringAll(selected(positionals));

function selected(names: readonly string[]): readonly Part[] {
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no part "${unknown.join('", "')}"; the parts are ${PARTS.map(({ name }) => name).join(', ')}.`,
    );
    process.exit(2);
  }
  return names.length === 0 ? PARTS : PARTS.filter((part) => names.includes(part.name));
}

function list(): number {
  for (const part of PARTS)
    console.log(`${part.isPresent() ? 'present' : 'missing'}  ${part.name.padEnd(12)} ${part.about}`);
  return 0;
}

async function bringAll(parts: readonly Part[]): Promise<number> {
  const missing = parts.filter((part) => !part.isPresent());
  if (missing.length === 0) {
    console.log(`Every part is there (${cacheDirectory}).`);
    return 0;
  }
  const minutes = missing.reduce((sum, part) => sum + part.minutes, 0);
  console.log(`Bringing ${missing.map(({ name }) => name).join(', ')}: about ${minutes} min on two cores.`);
  for (const part of missing) if (!(await bring(part))) return 1;
  console.log(`Every part is there (${cacheDirectory}).`);
  return 0;
}

async function bring(part: Part): Promise<boolean> {
  const started = Date.now();
  let doing = 'starting';
  const tell = (): void =>
    console.log(`${part.name}: ${doing} [${Math.round((Date.now() - started) / 1000)} s]`);
  const heartbeat = setInterval(tell, HEARTBEAT);
  try {
    await part.bring((progress) => {
      doing = progress;
      tell();
    });
    doing = 'done';
    tell();
    return true;
  } catch (error) {
    if (!(error instanceof PartError || error instanceof CommandFailed)) throw error;
    console.error(`${part.name} could not be brought. ${error.message}`);
    return false;
  } finally {
    clearInterval(heartbeat);
  }
}
