/** What the ports of databases show a client that asks for TLS: a certificate of the pod's own CA for loopback. */
import { createSecureContext, type SecureContext } from 'node:tls';
import { issueServerLeaf } from '../../../lib/certificates.ts';
import { openAuthority } from '../http/trust/authority.ts';

const HOSTS = ['localhost', '127.0.0.1', '::1'];
const DAYS = 30;
/** A certificate is used for less than it lives; its clients check that. */
const USED_MS = 86_400_000;

/** Reads or makes the CA in `directory`; the function that it gives makes a new certificate in time. */
export async function podCertificate(directory: string, now: () => number): Promise<() => SecureContext> {
  const authority = await openAuthority(directory, now());
  let made: { readonly context: SecureContext; readonly until: number } | undefined;
  return () => {
    if (made === undefined || made.until <= now()) {
      const { cert, key } = issueServerLeaf(authority, HOSTS, { now: now(), days: DAYS });
      made = { context: createSecureContext({ cert, key }), until: now() + USED_MS };
    }
    return made.context;
  };
}
