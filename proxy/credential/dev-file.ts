/** The source `devFile`: a JSON object of field to value, with an optional `expiresAt`, read again when it changes. */
import { JsonTextError, parseJson } from '../../lib/json/index.ts';
import { Secret } from '../../lib/secret.ts';
import type { Lease } from './lease.ts';
import { unavailable } from './template.ts';

/** How files are reached. `version` changes whenever the file does. */
export interface FileAccess {
  readonly read: (path: string) => Promise<string>;
  readonly version: (path: string) => Promise<string>;
}

export interface DevFileDeps {
  readonly files: FileAccess;
  readonly now: () => number;
  /** Told every value before anybody can use it. */
  readonly onValues: (values: readonly Secret[]) => void;
}

export interface DevFile {
  /** What the file holds now. Throws CredentialError when that is nothing one could use. */
  current(): Promise<Lease>;
}

/** A busy gateway looks at the file this often, not at every call. */
const LOOK_EVERY_MS = 250;

/** `credential` names it in errors. */
export function createDevFile(credential: string, path: string, deps: DevFileDeps): DevFile {
  let lease: Lease | undefined;
  let version: string | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    try {
      const found = await deps.files.version(path);
      if (found !== version) {
        lease = undefined;
        const next = parseDevFile(await deps.files.read(path));
        deps.onValues([...next.fields.values()]);
        lease = next;
        // The version was taken before the file was read: a change in between is seen at the next look.
        version = found;
      }
      lookedAt = deps.now();
    } catch (error) {
      lease = undefined;
      version = undefined;
      throw unavailable(credential, reasonOf(error), error);
    }
  };
  const refresh = (): Promise<void> => {
    running ??= look().finally(() => {
      running = undefined;
    });
    return running;
  };
  const expired = (): boolean => lease?.expiresAt !== undefined && lease.expiresAt <= deps.now();

  return {
    current: async () => {
      if (lease === undefined || expired() || deps.now() - lookedAt >= LOOK_EVERY_MS) await refresh();
      if (lease === undefined) throw unavailable(credential, 'its file could not be read');
      if (expired()) throw unavailable(credential, 'it has expired and its file holds no newer one');
      return lease;
    },
  };
}

/** Throws JsonTextError or DevFileError; neither quotes the text. */
export function parseDevFile(text: string): Lease {
  const content = parseJson(text);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new DevFileError('its file is not a JSON object of field to value');
  }
  const fields = new Map<string, Secret>();
  let expiresAt: number | undefined;
  for (const [field, value] of Object.entries(content)) {
    if (typeof value !== 'string') throw new DevFileError(`the field "${field}" in its file is not a string`);
    if (field === 'expiresAt') expiresAt = instant(value);
    else fields.set(field, new Secret(value));
  }
  return { fields, expiresAt };
}

class DevFileError extends Error {}

const ISO_8601 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

function instant(value: string): number {
  const time = ISO_8601.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time))
    throw new DevFileError('expiresAt in its file is not a time such as 2030-01-01T00:00:00Z');
  return time;
}

function reasonOf(error: unknown): string {
  if (error instanceof DevFileError) return error.message;
  if (error instanceof JsonTextError) return 'its file is not valid JSON';
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return `its file could not be read (${code})`;
}
