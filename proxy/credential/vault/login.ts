/** How the proxy shows Vault who it is. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { sentenceOf } from '../../../lib/errors.ts';
import { Secret } from '../../../lib/secret.ts';
import type { VaultClient } from './client.ts';
import { VaultError } from './error.ts';

/**
 * `file`: who we are, read again at every login. The kubelet replaces a projected token long before it expires; a pod
 * that was injected before its gateway had a credential of Vault has none.
 */
export type VaultAuth =
  | { readonly kind: 'jwt' | 'kubernetes'; readonly mount: string; readonly file: string | undefined }
  | { readonly kind: 'appRole'; readonly mount: string; readonly file: string }
  | { readonly kind: 'tokenFile'; readonly file: string };

/** A token as Vault gave it. */
export interface LoggedIn {
  readonly token: Secret;
  /** Milliseconds it lives without being renewed; 0 for ever. */
  readonly ttlMs: number;
  readonly renewable: boolean;
  /** Whether it was made for us, so that nobody else loses it when we revoke it. */
  readonly own: boolean;
}

/** The file of AppRoles: one for each role that a credential may name. */
const appRoles = z.record(
  z.string(),
  z.object({ role_id: z.string().min(1), secret_id: z.string().optional() }),
);
type AppRole = z.infer<typeof appRoles>[string];
const lookedUp = z.object({ ttl: z.number().nonnegative(), renewable: z.boolean().default(false) });

/** `onProof` is told what is secret of what Vault is shown, before it is. Throws VaultError. */
export async function logIn(
  client: VaultClient,
  auth: VaultAuth,
  { role, onProof }: { readonly role: string; readonly onProof: (proof: Secret) => void },
): Promise<LoggedIn> {
  if (auth.kind === 'tokenFile') return takeToken(client, auth.file, onProof);
  const proof =
    auth.kind === 'appRole'
      ? await appRole(auth.file, role)
      : { role, jwt: await line(projected(auth.file)) };
  const secret = 'jwt' in proof ? proof.jwt : proof.secret_id;
  if (secret !== undefined) onProof(new Secret(secret));
  const { auth: given } = await client.write(`auth/${auth.mount}/login`, proof);
  if (given === undefined) throw new VaultError('vault_unreadable', 'Vault let us in without giving a token');
  return { ...given, own: true };
}

async function takeToken(
  client: VaultClient,
  file: string,
  onProof: (proof: Secret) => void,
): Promise<LoggedIn> {
  const token = new Secret(await line(file));
  onProof(token);
  const { data } = await client.read('auth/token/lookup-self', token);
  const { ttl, renewable } = lookedUp.parse(data);
  return { token, ttlMs: ttl * 1000, renewable, own: false };
}

async function appRole(file: string, role: string): Promise<AppRole> {
  const roles = appRoles.safeParse(jsonOf(await text(file)));
  if (!roles.success)
    throw notOurs(
      'the AppRole file is not a JSON object such as {"ROLE": {"role_id": "…", "secret_id": "…"}}',
    );
  const found = Object.hasOwn(roles.data, role) ? roles.data[role] : undefined;
  if (found === undefined) throw notOurs(`the AppRole file has no role "${role}"`);
  return found;
}

function projected(file: string | undefined): string {
  if (file !== undefined) return file;
  throw notOurs('this pod was injected without a token for Vault; create it anew');
}

async function line(file: string): Promise<string> {
  const content = (await text(file)).trim();
  if (content === '') throw notOurs('the file that says who we are is empty');
  return content;
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new VaultError('vault_refused', 'the file that tells Vault who we are cannot be read', {
      cause,
      detail: sentenceOf(cause),
    });
  }
}

function jsonOf(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function notOurs(why: string): VaultError {
  return new VaultError('vault_refused', why);
}
