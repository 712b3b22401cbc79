/**
 * Which leases are held: ids and never values, in a file that outlives the process, so that the next start revokes what
 * a crash left behind. One line says that a lease was taken, another that it is gone.
 */
import { appendFile, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { makePrivateDirectory, writeFileDurably } from '../../../lib/durable-file.ts';

const taken = z.object({
  lease: z.string().min(1),
  /** Of the auth method: who may revoke it. */
  role: z.string(),
  /** Milliseconds since the epoch by which Vault has ended it anyway. */
  until: z.number(),
});
const line = z.union([taken, z.object({ gone: z.string() })]);

export type Taken = z.infer<typeof taken>;

/** Rewritten when so many more lines were added than leases are held. */
const MAX_SPARE_LINES = 5_000;

export class LeaseJournal {
  readonly #path: string;
  readonly #held = new Map<string, Taken>();
  #lines = 0;
  #work: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Opens it, and tells what an earlier process took and did not give back. Unreadable lines are passed over. */
  static async open(
    path: string,
  ): Promise<{ readonly journal: LeaseJournal; readonly left: readonly Taken[] }> {
    const left = new Map<string, Taken>();
    for (const entry of (await readIfThere(path)).split('\n').flatMap(parseLine)) {
      if ('lease' in entry) left.set(entry.lease, entry);
      else left.delete(entry.gone);
    }
    const journal = new LeaseJournal(path);
    for (const [id, entry] of left) journal.#held.set(id, entry);
    await makePrivateDirectory(dirname(path));
    await journal.#rewrite();
    return { journal, left: [...left.values()] };
  }

  /** When this returns, a process that comes after knows of it. */
  take(entry: Taken): Promise<void> {
    this.#held.set(entry.lease, entry);
    return this.#append(entry);
  }

  gone(lease: string): Promise<void> {
    if (!this.#held.delete(lease)) return Promise.resolve();
    return this.#append({ gone: lease });
  }

  get size(): number {
    return this.#held.size;
  }

  /** Resolves when all of it is written; an empty journal leaves no file. */
  async close(): Promise<void> {
    await this.#work;
    if (this.#held.size === 0) await rm(this.#path, { force: true });
  }

  #append(entry: z.infer<typeof line>): Promise<void> {
    this.#lines += 1;
    const write =
      this.#lines > this.#held.size + MAX_SPARE_LINES
        ? () => this.#rewrite()
        : () => appendFile(this.#path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    const done = this.#work.then(write);
    // One line that could not be written does not keep the next from being tried.
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #rewrite(): Promise<void> {
    this.#lines = this.#held.size;
    const text = [...this.#held.values()].map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await writeFileDurably(this.#path, text);
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function parseLine(text: string): z.infer<typeof line>[] {
  try {
    const parsed = line.safeParse(JSON.parse(text));
    return parsed.success ? [parsed.data] : [];
  } catch {
    // The last line of a process that was killed while it wrote.
    return [];
  }
}
