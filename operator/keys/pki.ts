/** The installation's authority and the certificates of its servers, kept in a directory. */
import { join } from 'node:path';
import { z } from 'zod';
import { issueAuthority, issueServerLeaf, needsReissue, type KeyPair } from '../../lib/certificates.ts';
import { writeFileDurably } from '../../lib/durable-file.ts';
import { keptJson, readIfThere } from './key-file.ts';

const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 90;
const AUTHORITY_NAME = 'Gatehouse installation';

const keyPair = z.object({
  cert: z.string().startsWith('-----BEGIN CERTIFICATE-----'),
  key: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
});

export interface Pki {
  /** File with the authority's certificate, PEM: what clients trust. */
  readonly caFile: string;
  /** A server's certificate and the files that hold it; reissued when its life is nearly over. */
  server(name: string, hosts: readonly string[], now: number): Promise<ServerLeaf>;
}

export interface ServerLeaf extends KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Takes up the authority in `directory`, or makes one. */
export async function openPki(directory: string, now: number): Promise<Pki> {
  const authority = await keptJson(join(directory, 'authority.json'), keyPair, () =>
    issueAuthority(AUTHORITY_NAME, { now, days: AUTHORITY_DAYS }),
  );
  const caFile = join(directory, 'ca.crt');
  await writeFileDurably(caFile, authority.cert);
  return {
    caFile,
    server: async (name, hosts, at) => {
      const certFile = join(directory, `${name}.crt`);
      const keyFile = join(directory, `${name}.key`);
      const kept = usable(await readPair(certFile, keyFile), authority, { hosts, at });
      if (kept !== undefined) return { ...kept, certFile, keyFile };
      const leaf = issueServerLeaf(authority, hosts, { now: at, days: LEAF_DAYS });
      await writeFileDurably(keyFile, leaf.key);
      await writeFileDurably(certFile, leaf.cert);
      return { ...leaf, certFile, keyFile };
    },
  };
}

async function readPair(certFile: string, keyFile: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([readIfThere(certFile), readIfThere(keyFile)]);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

/** A leaf that cannot be read is simply replaced: nothing is lost with it. */
function usable(
  pair: KeyPair | undefined,
  authority: KeyPair,
  wanted: { hosts: readonly string[]; at: number },
): KeyPair | undefined {
  if (pair === undefined) return undefined;
  try {
    return needsReissue(pair, authority, wanted.hosts, wanted.at) ? undefined : pair;
  } catch {
    return undefined;
  }
}
