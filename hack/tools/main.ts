/**
 * Brings the parts that tests need and npm does not bring. What is there already costs nothing.
 *
 *   node hack/tools/main.ts [--list] [PART…]
 */
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from './command.ts';
import { cacheDirectory } from './config.ts';
import { PartError, type Part } from './part.ts';
import { PARTS } from './parts.ts';
import { CommandFailed } from './run.ts';

/** Often enough that a build of ten minutes is seen to be alive. */
const HEARTBEAT = 30_000;

process.exitCode = await runCommand(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { list: { type: 'boolean', default: false } },
  });
  const parts = selected(positionals);
  if (values.list) list(parts);
  else await bringAll(parts);
});

function selected(names: readonly string[]): readonly Part[] {
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0)
    throw new UsageError(
      `There is no part "${unknown.join('", "')}"; the parts are ${PARTS.map(({ name }) => name).join(', ')}.`,
    );
  return names.length === 0 ? PARTS : PARTS.filter((part) => names.includes(part.name));
}

function list(parts: readonly Part[]): void {
  for (const part of parts)
    console.log(`${part.isPresent() ? 'present' : 'missing'}  ${part.name.padEnd(12)} ${part.about}`);
}

async function bringAll(parts: readonly Part[]): Promise<void> {
  const missing = parts.filter((part) => !part.isPresent());
  if (missing.length > 0) {
    const minutes = missing.reduce((sum, part) => sum + part.minutes, 0);
    console.log(`Bringing ${missing.map(({ name }) => name).join(', ')}: about ${minutes} min on two cores.`);
  }
  for (const part of missing) await bring(part);
  console.log(`Every part is there (${cacheDirectory}).`);
}

async function bring(part: Part): Promise<void> {
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
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new PartError(`${part.name} could not be brought, ${doing}. ${error.message}`, { cause: error });
  } finally {
    clearInterval(heartbeat);
  }
}
