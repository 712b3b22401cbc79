/** Credentials that the server reads from files: written before it needs them, replaced as they change, removed at the end. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credential } from '../../crds/bundle.ts';
import { parseFileTemplate } from '../../crds/template.ts';
import type { Clock } from '../../lib/clock.ts';
import { makePrivateDirectory, writeFileDurably } from '../../lib/durable-file.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Lender } from './lender.ts';
import { compileTemplate, type Render } from './template.ts';

export interface CredentialFilesDeps {
  readonly lender: Pick<Lender, 'lend'>;
  /** Undefined where the server has no such place. */
  readonly place: FilePlace | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface FilePlace {
  /** Nobody else writes there. */
  readonly directory: string;
  /** Whether the server runs as another user, and sees the directory where nobody else does. */
  readonly isShared: boolean;
}

interface Entry {
  readonly credential: string;
  readonly path: string;
  readonly variable: string | undefined;
  readonly render: Render;
}

/** How soon a file follows a change of its credential. */
const LOOK_MS = 5_000;
/** For so long a policy waits for its files. */
const FIRST_MS = 3_000;
const OF_OWNER = 0o600;
const OF_ALL = 0o644;

export class CredentialFiles {
  readonly #deps: CredentialFilesDeps;
  #entries: readonly Entry[] = [];
  readonly #written = new Map<string, string>();
  #work: Promise<void> = Promise.resolve();
  #cancel: () => void = () => undefined;

  constructor(deps: CredentialFilesDeps) {
    this.#deps = deps;
  }

  /** From now on these. Throws CredentialError for a template that cannot be. */
  async put(credentials: readonly Pick<Credential, 'name' | 'inject'>[]): Promise<void> {
    const { clock, log, place } = this.#deps;
    const entries = credentials.flatMap(({ name, inject }) => entryOf(name, inject, place?.directory ?? ''));
    if (place === undefined && entries.length > 0)
      log.warn(
        'this pod was made before its gateway had files of credentials; they are there when the pod is made again',
      );
    this.#entries = place === undefined ? [] : entries;
    const late = new Promise<void>((resolve) => clock.after(FIRST_MS, resolve));
    await Promise.race([this.#update(), late]);
  }

  /** The variables of a server that name its files. */
  environment(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#entries.flatMap(({ variable, path }) => (variable === undefined ? [] : [[variable, path]])),
    );
  }

  /** Removes them all. */
  async close(): Promise<void> {
    this.#entries = [];
    await this.#update();
  }

  /** One look after the other: what is written is always what was lent last. */
  #update(): Promise<void> {
    this.#cancel();
    this.#work = this.#work.then(async () => {
      const { place } = this.#deps;
      if (place === undefined) return;
      const wanted = new Set(this.#entries.map(({ path }) => path));
      // What a process left that was killed is there as well.
      for (const path of await pathsIn(place.directory)) if (!wanted.has(path)) await this.#remove(path);
      for (const entry of this.#entries) await this.#write(entry, place);
      this.#cancel();
      if (this.#entries.length > 0) this.#cancel = this.#deps.clock.after(LOOK_MS, () => void this.#update());
    });
    return this.#work;
  }

  /** A credential that is not to be had any more is nothing that a server should go on with. */
  async #write({ credential, path, render }: Entry, { directory, isShared }: FilePlace): Promise<void> {
    try {
      const { fields } = await this.#deps.lender.lend(credential, 'pod');
      const text = render(fields);
      if (this.#written.get(path) === text) return;
      await makePrivateDirectory(directory);
      await writeFileDurably(path, text, isShared ? OF_ALL : OF_OWNER);
      this.#written.set(path, text);
    } catch (error) {
      this.#deps.log.warn({ credential }, sentenceOf(error));
      await this.#remove(path);
    }
  }

  async #remove(path: string): Promise<void> {
    await rm(path, { force: true });
    this.#written.delete(path);
  }
}

async function pathsIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).map((name) => join(directory, name));
  } catch {
    // Nothing was ever written.
    return [];
  }
}

function entryOf(credential: string, inject: Credential['inject'], directory: string): Entry[] {
  if (!('file' in inject)) return [];
  const { name, value, env } = inject.file;
  const render = compileTemplate(credential, 'its file', parseFileTemplate(value));
  return [{ credential, path: join(directory, name), variable: env, render }];
}
