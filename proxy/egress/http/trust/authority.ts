/** The pod's own CA: made once, kept for the life of the pod, so that a restart keeps what the app trusts. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { issueAuthority, issueServerLeaf, type KeyPair } from '../../../../lib/certificates.ts';
import { makePrivateDirectory, writeFileDurably } from '../../../../lib/durable-file.ts';
import { Lru } from '../../../../lib/lru.ts';

const KEY = 'ca.key';
const CERTIFICATE = 'ca.crt';
const CA_DAYS = 3650;
const LEAF_DAYS = 30;
/** A context is used for less than its certificate lives; its clients check that. */
const CONTEXT_MS = 86_400_000;
const CONTEXTS = 512;

/** Reads the authority from `directory`, or makes it there when there is none that could be used. */
export async function openAuthority(directory: string, now: number): Promise<KeyPair> {
  const kept = await readKept(directory);
  if (kept !== undefined && isUsable(kept, now)) return kept;
  const made = issueAuthority('Gatehouse egress of this pod', { now, days: CA_DAYS });
  await makePrivateDirectory(directory);
  // The key first: a certificate without its key would be taken for usable.
  await writeFileDurably(join(directory, KEY), made.key);
  await writeFileDurably(join(directory, CERTIFICATE), made.cert);
  return made;
}

async function readKept(directory: string): Promise<KeyPair | undefined> {
  try {
    const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
    return { cert: await read(CERTIFICATE), key: await read(KEY) };
  } catch {
    return undefined;
  }
}

function isUsable({ cert, key }: KeyPair, now: number): boolean {
  try {
    createSecureContext({ cert, key });
    return Date.parse(new X509Certificate(cert).validTo) > now + LEAF_DAYS * CONTEXT_MS;
  } catch {
    return false;
  }
}

/** What shows a host's certificate, made when it is first asked for. */
export function leafContexts(authority: KeyPair, now: () => number): (host: string) => SecureContext {
  const known = new Lru<string, { context: SecureContext; until: number }>(CONTEXTS);
  return (host) => {
    const kept = known.get(host);
    if (kept !== undefined && kept.until > now()) return kept.context;
    const leaf = issueServerLeaf(authority, [host], { now: now(), days: LEAF_DAYS });
    const context = createSecureContext({ cert: leaf.cert, key: leaf.key });
    known.set(host, { context, until: now() + CONTEXT_MS });
    return context;
  };
}
