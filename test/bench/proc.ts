/** What Linux says of a process. */
import { readdir, readFile } from 'node:fs/promises';

/** Resident memory now, bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`Process ${pid} has no resident memory.`);
  return Number(kilobytes) * 1024;
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
