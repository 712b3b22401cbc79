/** What Linux says of a process. */
import { readdir, readFile } from 'node:fs/promises';

/** Bytes. */
export interface Memory {
  readonly resident: number;
  /** The part that is not a file's: code of Node and libraries, which processes share, counts among the rest. */
  readonly anonymous: number;
}

/** What a process holds now. */
export async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytesOf = (name: string): number => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    if (kilobytes === undefined) throw new Error(`Nothing says how much memory process ${pid} holds.`);
    return Number(kilobytes) * 1024;
  };
  return { resident: bytesOf('Rss'), anonymous: bytesOf('Anonymous') };
}

/** The child of `parent` that was started with `argument` among its arguments. */
export async function childWith(parent: number, argument: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    const [status, command] = await Promise.all([read(pid, 'status'), read(pid, 'cmdline')]);
    const isChild = new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status);
    if (isChild && command.split('\0').includes(argument)) return pid;
  }
  throw new Error(`Process ${parent} has no child that was started with "${argument}".`);
}

/** Empty for a process that has ended since it was listed. */
async function read(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
