/** KV, both versions. Which one a mount is, Vault tells; where a policy forbids to ask, it is tried. */
import { z } from 'zod';
import type { Secret } from '../../../lib/secret.ts';
import type { VaultAnswer, VaultClient } from './client.ts';
import { VaultError } from './error.ts';

export interface KvSource {
  readonly mount: string;
  readonly path: string;
  /** Pins one version (KV 2). */
  readonly version?: number | undefined;
}

/** Reads what lies at the path now, or at the pinned version. Throws VaultError. */
export type ReadKv = (client: VaultClient, token: Secret) => Promise<Readonly<Record<string, unknown>>>;

const mountFacts = z.object({
  type: z.string(),
  options: z.object({ version: z.string().optional() }).nullish(),
});
const versioned = z.object({ data: z.record(z.string(), z.unknown()).nullable() });

export function createKv(source: KvSource): ReadKv {
  let engine: 1 | 2 | undefined = source.version === undefined ? undefined : 2;
  return async (client, token) => {
    engine ??= await askVersion(source.mount, client, token);
    if (engine === 1) return (await client.read(`${source.mount}/${source.path}`, token)).data;
    if (engine === 2) return readVersioned(source, client, token);
    // Nobody told: what has the form of version 2 is version 2.
    const second = await readVersioned(source, client, token).catch(unlessElsewhere);
    engine = second === undefined ? 1 : 2;
    return second ?? (await client.read(`${source.mount}/${source.path}`, token)).data;
  };
}

async function askVersion(mount: string, client: VaultClient, token: Secret): Promise<1 | 2 | undefined> {
  let answer: VaultAnswer;
  try {
    answer = await client.read(`sys/internal/ui/mounts/${mount}`, token);
  } catch (error) {
    unlessElsewhere(error);
    return undefined;
  }
  const facts = mountFacts.safeParse(answer.data);
  if (!facts.success) return undefined;
  return facts.data.type === 'kv' && facts.data.options?.version === '2' ? 2 : 1;
}

async function readVersioned(
  { mount, path, version }: KvSource,
  client: VaultClient,
  token: Secret,
): Promise<Readonly<Record<string, unknown>>> {
  const query = version === undefined ? undefined : { version: String(version) };
  const { data } = await client.read(`${mount}/data/${path}`, token, query);
  const parsed = versioned.safeParse(data);
  if (!parsed.success)
    throw new VaultError('vault_refused', 'Vault has no secret of KV version 2 at that path', {
      status: 404,
    });
  if (parsed.data.data === null)
    throw new VaultError('vault_refused', 'that version of the secret was deleted', { status: 404 });
  return parsed.data.data;
}

/** Not there, or not allowed: it may lie elsewhere. Anything else is an answer. */
function unlessElsewhere(error: unknown): undefined {
  if (error instanceof VaultError && (error.status === 403 || error.status === 404)) return undefined;
  throw error;
}
