/** A directory of manifests as the source of snapshots: watched, so that an edit is in force at once. */
import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { readManifestFiles, type DirectoryContent } from './files.ts';
import { load, type Loaded } from './load.ts';
import type { Snapshot } from './snapshot.ts';

export interface DirectoryState extends Loaded {
  /** The last snapshot without a problem; absent until there was one. What an edit with a mistake leaves as it was. */
  readonly inForce?: Snapshot;
}

export interface DirectoryWatch {
  close(): void;
}

/** What the source needs of the world; the defaults are the real ones. */
export interface DirectorySurroundings {
  readonly read: (directory: string, except: readonly string[]) => Promise<DirectoryContent>;
  /** Calls back on every change right in `directory`, with the name of what changed where it is known. */
  readonly watch: (directory: string, changed: (name: string | null) => void) => DirectoryWatch;
  /** Calls back once after `ms`; what is returned takes that back. */
  readonly after: (ms: number, run: () => void) => () => void;
}

export interface DirectoryTimes {
  /** A change counts once two reads this far apart agree, so that a half-written file is not believed. */
  readonly settleMs: number;
  /** How often to look without being told: the net under file systems that do not tell. */
  readonly pollMs: number;
}

export interface DirectoryOptions {
  readonly times?: DirectoryTimes;
  readonly around?: DirectorySurroundings;
  /** Directories below that hold no manifests, absolute: the state, where it does not lie in a dot-directory. */
  readonly except?: readonly string[];
}

export const DIRECTORY_TIMES: DirectoryTimes = { settleMs: 40, pollMs: 3000 };

export const realSurroundings: DirectorySurroundings = {
  read: readManifestFiles,
  watch: (directory, changed) => {
    const watcher = watch(directory, { persistent: false }, (_event, name) => changed(name));
    // A watched directory that is deleted errs; the poll sees what became of it.
    watcher.on('error', () => watcher.close());
    return watcher;
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Watches `directory` and tells `onChange` of every state after the first that `start` returns. Each directory is
 * watched by itself, so that what is written below a dot-directory (state, records) wakes nobody.
 */
export class DirectorySource {
  readonly #directory: string;
  readonly #except: readonly string[];
  readonly #onChange: (state: DirectoryState) => void;
  readonly #times: DirectoryTimes;
  readonly #around: DirectorySurroundings;
  readonly #watches = new Map<string, DirectoryWatch>();
  #inForce: Snapshot | undefined;
  /** Fingerprint of what was last told. */
  #told = '';
  /** Fingerprint of what was read last and is not told yet. */
  #seen = '';
  #cancel: () => void = () => undefined;
  #reading = false;
  #again = false;
  #closed = false;

  constructor(directory: string, onChange: (state: DirectoryState) => void, options: DirectoryOptions = {}) {
    this.#directory = directory;
    this.#except = options.except ?? [];
    this.#onChange = onChange;
    this.#times = options.times ?? DIRECTORY_TIMES;
    this.#around = options.around ?? realSurroundings;
  }

  /** Reads the directory and begins to watch. The state may hold problems and then no snapshot. */
  async start(): Promise<DirectoryState> {
    const content = await this.#around.read(this.#directory, this.#except);
    this.#told = fingerprint(content);
    this.#seen = this.#told;
    // What changed between the read and the watch is seen by one more look.
    this.#schedule(this.#follow(content.directories) ? this.#times.settleMs : this.#times.pollMs);
    return this.#take(content);
  }

  /** Stops watching; nothing is told after this. */
  close(): void {
    this.#closed = true;
    this.#cancel();
    for (const watched of this.#watches.values()) watched.close();
    this.#watches.clear();
  }

  #take(content: DirectoryContent): DirectoryState {
    const loaded = load(content, 'Standalone');
    this.#inForce = loaded.snapshot ?? this.#inForce;
    return { ...loaded, ...(this.#inForce && { inForce: this.#inForce }) };
  }

  #schedule(ms: number): void {
    this.#cancel();
    if (this.#closed) return;
    this.#cancel = this.#around.after(ms, () => void this.#look());
  }

  /** Not rescheduled by later changes, so that a stream of them cannot put it off for ever. */
  #changed(): void {
    if (this.#reading) this.#again = true;
    else if (!this.#again) {
      this.#again = true;
      this.#schedule(this.#times.settleMs);
    }
  }

  async #look(): Promise<void> {
    this.#reading = true;
    this.#again = false;
    const content = await this.#around.read(this.#directory, this.#except);
    this.#reading = false;
    if (this.#closed) return;
    const grown = this.#follow(content.directories);
    const settled = this.#weigh(content);
    this.#schedule(this.#wantsLook(settled, grown) ? this.#times.settleMs : this.#times.pollMs);
  }

  #wantsLook(settled: boolean, grown: boolean): boolean {
    return !settled || grown || this.#again;
  }

  /** Whether there is nothing left to wait for. */
  #weigh(content: DirectoryContent): boolean {
    const now = fingerprint(content);
    const before = this.#seen;
    this.#seen = now;
    if (now === this.#told) return true;
    if (now !== before) return false;
    this.#told = now;
    this.#onChange(this.#take(content));
    return true;
  }

  /** Watches exactly these directories; true where one of them was not watched before. */
  #follow(directories: readonly string[]): boolean {
    if (this.#closed) return false;
    const wanted = new Set(directories);
    for (const [directory, watched] of this.#watches) {
      if (wanted.has(directory)) continue;
      watched.close();
      this.#watches.delete(directory);
    }
    const before = this.#watches.size;
    for (const directory of wanted) {
      if (this.#watches.has(directory)) continue;
      const watched = this.#tryWatch(directory);
      if (watched !== undefined) this.#watches.set(directory, watched);
    }
    return this.#watches.size > before;
  }

  /** Without a watch (none left, deleted meanwhile) the poll is what sees changes. */
  #tryWatch(directory: string): DirectoryWatch | undefined {
    try {
      return this.#around.watch(directory, (name) => {
        if (name?.startsWith('.') !== true) this.#changed();
      });
    } catch {
      return undefined;
    }
  }
}

/** A digest, so that no file's text (some are secrets) is kept. */
function fingerprint(content: DirectoryContent): string {
  const files = content.files.map(({ path, text }) => [path, text]);
  const problems = content.problems.map(({ message }) => message);
  return createHash('sha256')
    .update(JSON.stringify([files, problems]))
    .digest('hex');
}
