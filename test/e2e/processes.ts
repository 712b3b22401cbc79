/** The processes that a standalone installation started. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { Gatehouse } from '../fixtures/gatehouse.ts';

const run = promisify(execFile);

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function processes(): Promise<Process[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** The pid of its recorder or proxy. */
export async function childOf({ child }: Gatehouse, verb: 'recorder' | 'proxy'): Promise<number> {
  const found = (await processes()).find(
    ({ parent, command }) => parent === child.pid && command.endsWith(` ${verb}`),
  );
  if (found === undefined) throw new Error(`There is no ${verb}.`);
  return found.pid;
}

/** Resolves when none of them runs any more. */
export async function gone(...pids: number[]): Promise<void> {
  const alive = async (): Promise<number[]> =>
    (await processes()).flatMap(({ pid, command }) =>
      pids.includes(pid) && !command.includes('<defunct>') ? [pid] : [],
    );
  await expect.poll(alive, { timeout: 15_000, interval: 100 }).toEqual([]);
}
