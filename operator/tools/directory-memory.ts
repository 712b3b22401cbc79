/** Tools of a standalone installation: one file of its state directory, which one process owns. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { knownTools, type KnownTool } from '../../crds/gateway-tools.ts';
import { writeFileDurably } from '../../lib/durable-file.ts';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';
import { withSeen, type ToolMemory } from './known.ts';

/** What was pinned cannot be read. Beginning anew would accept whatever the servers say now. */
export class ToolFileError extends GatehouseError {
  readonly code = 'bad_tool_file';
}

const content = z.array(z.tuple([z.string(), knownTools]));

export async function openDirectoryToolMemory(path: string): Promise<ToolMemory> {
  let kept: ReadonlyMap<string, readonly KnownTool[]> = new Map(await load(path));
  let queue: Promise<unknown> = Promise.resolve();
  const of = (gateway: string): readonly KnownTool[] => kept.get(gateway) ?? [];

  const note: ToolMemory['note'] = async (gateway, seen) => {
    const next = withSeen(of(gateway), seen);
    if (next === of(gateway)) return false;
    const all = new Map([...kept, [gateway, next]]);
    await writeFileDurably(path, JSON.stringify([...all], undefined, 2));
    kept = all;
    return true;
  };
  return {
    of,
    note: (gateway, seen) => {
      const mine = queue.then(() => note(gateway, seen));
      queue = mine.catch(() => undefined);
      return mine;
    },
  };
}

async function load(path: string): Promise<z.output<typeof content>> {
  const text = await readIfThere(path);
  if (text === undefined) return [];
  try {
    return content.parse(JSON.parse(text));
  } catch (cause) {
    throw new ToolFileError(
      `The file ${path}, which pins the tools of the gateways, is damaged; restore it, or remove it to accept every tool as it is now.`,
      { cause },
    );
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new ToolFileError(`The file ${path} cannot be read: ${sentenceOf(cause)}.`, { cause });
  }
}
