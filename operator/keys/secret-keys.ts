/** The keys of an installation in a Secret that all replicas share; whoever finds them missing or old writes them anew. */
import { z } from 'zod';
import type { KubeClient } from '../source/kubernetes/client.ts';
import { isRefused } from '../source/kubernetes/errors.ts';
import { namespacedMeta, pathOf, type Resource } from '../source/kubernetes/resource.ts';
import { hashKeyFile, type InstallationKeys } from './installation-keys.ts';
import { KeyFileError, newKey } from './key-file.ts';
import { keysByGateway, rotated, type KeysByGateway } from './sealing.ts';

const secretObject = z.object({
  metadata: namespacedMeta,
  data: z.record(z.string(), z.string()).default({}),
});
export type SecretObject = z.output<typeof secretObject>;
export const SECRETS: Resource<SecretObject> = { apiVersion: 'v1', plural: 'secrets', schema: secretObject };

interface Kept {
  readonly version: string | undefined;
  readonly hashKey: string;
  readonly sealing: KeysByGateway;
}

export interface SecretKeys extends InstallationKeys {
  /** Takes up what another replica wrote, as a watch tells it. */
  observe(secret: SecretObject): void;
}

const MAX_RACES = 10;
const CONTENT = 'keys.json';
const content = hashKeyFile.extend({ sealing: keysByGateway });

export function createSecretKeys(
  client: Pick<KubeClient, 'request'>,
  where: { namespace: string; name: string },
): SecretKeys {
  const path = pathOf(SECRETS, where);
  let kept: Kept | undefined;

  const read = async (): Promise<Kept> => {
    try {
      return keptIn(secretObject.parse(await client.request({ method: 'GET', path })), where.name);
    } catch (error) {
      if (!isRefused(error, 404)) throw error;
      return { version: undefined, hashKey: newKey(), sealing: {} };
    }
  };
  /** Undefined where another replica was first. */
  const write = async (next: Kept): Promise<Kept | undefined> => {
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { ...where, ...(next.version !== undefined && { resourceVersion: next.version }) },
      data: { [CONTENT]: encoded({ hashKey: next.hashKey, sealing: next.sealing }) },
    };
    const wanted =
      next.version === undefined
        ? { method: 'POST' as const, path: pathOf(SECRETS, { namespace: where.namespace }) }
        : { method: 'PUT' as const, path };
    try {
      return keptIn(secretObject.parse(await client.request({ ...wanted, body })), where.name);
    } catch (error) {
      if (isRefused(error, 409)) return undefined;
      throw error;
    }
  };

  return {
    hashKey: () => kept?.hashKey ?? '',
    of: (gateway) => (kept?.sealing[gateway] ?? []).map(({ id, key }) => ({ id, key })),
    observe: (secret) => {
      kept = keptIn(secret, where.name);
    },
    refresh: async (gateways, now) => {
      for (let race = 0; race < MAX_RACES; race += 1) {
        const before = kept ?? (await read());
        const sealing = rotated(before.sealing, gateways, now);
        const isCurrent = sealing === before.sealing && before.version !== undefined;
        const written = isCurrent ? before : await write({ ...before, sealing });
        kept = written;
        if (written !== undefined) return;
      }
      throw new KeyFileError(
        `The Secret ${where.namespace}/${where.name} is being changed by too many at once.`,
      );
    },
  };
}

function keptIn({ metadata, data }: SecretObject, name: string): Kept {
  const parsed = content.safeParse(decoded(data[CONTENT] ?? ''));
  if (parsed.success) return { version: metadata.resourceVersion, ...parsed.data };
  throw new KeyFileError(
    `The Secret ${name} holds no keys that can be read; restore it, or remove it to begin with new keys.`,
  );
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}
