/** The credentials of a gateway that come from files. */
import type { Credential } from '../../crds/bundle.ts';
import { createDevFile, type DevFile, type FileAccess } from './dev-file.ts';

export interface DevFilesDeps {
  /** namespace/name. */
  readonly gateway: string;
  readonly files: FileAccess;
  readonly now: () => number;
  /** Where values are told before their first use, so that they are masked from then on. */
  readonly known: { set(owner: string, values: readonly string[]): void };
}

export type NamedSource = Pick<Credential, 'name' | 'source'>;

export class DevFiles {
  readonly #deps: DevFilesDeps;
  #entries = new Map<string, { readonly path: string; readonly file: DevFile }>();

  constructor(deps: DevFilesDeps) {
    this.#deps = deps;
  }

  /** From now on these; a file that was there before is not read again. */
  use(credentials: readonly NamedSource[]): void {
    const before = this.#entries;
    this.#entries = new Map();
    for (const { name, source } of credentials) {
      if (!('devFile' in source)) continue;
      const { path } = source.devFile;
      const known = before.get(name);
      this.#entries.set(name, known?.path === path ? known : { path, file: this.#open(name, path) });
    }
  }

  get(credential: string): DevFile | undefined {
    return this.#entries.get(credential)?.file;
  }

  /** Reads all of them, so that their values are masked; why the others cannot be read. */
  async preload(): Promise<readonly unknown[]> {
    const outcomes = await Promise.allSettled([...this.#entries.values()].map(({ file }) => file.current()));
    return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  }

  #open(name: string, path: string): DevFile {
    const { files, now, known, gateway } = this.#deps;
    return createDevFile(name, path, {
      files,
      now,
      onValues: (values) =>
        known.set(
          `${gateway}/${name}`,
          values.map((value) => value.reveal()),
        ),
    });
  }
}
