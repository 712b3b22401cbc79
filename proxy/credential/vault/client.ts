/**
 * The one file that knows `node-vault`. Of it we use the generic read and write; each of its faults is kept out here:
 * headers are made anew for every call, paths are encoded before it sees them and pass no template, the environment
 * is not asked, nothing is logged, and what goes over the wire is our transport's.
 */
import type vault from 'node-vault';
import { z } from 'zod';
import { Secret } from '../../../lib/secret.ts';
import { VaultError } from './error.ts';
import type { Transport } from './transport.ts';

/** What Vault answered. `data` holds secrets. */
export interface VaultAnswer {
  readonly leaseId: string;
  /** Milliseconds. */
  readonly leaseMs: number;
  readonly renewable: boolean;
  readonly data: Readonly<Record<string, unknown>>;
  readonly auth: { readonly token: Secret; readonly ttlMs: number; readonly renewable: boolean } | undefined;
}

/** Throws VaultError. `path` is as people write it, without `v1/`. */
export interface VaultClient {
  read(path: string, token: Secret, query?: Readonly<Record<string, string>>): Promise<VaultAnswer>;
  write(path: string, body: Readonly<Record<string, unknown>>, token?: Secret): Promise<VaultAnswer>;
}

export interface VaultClientOptions {
  readonly address: string;
  readonly namespace: string | undefined;
  readonly transport: Transport;
}

const seconds = z.number().nonnegative().default(0);

const answer = z.object({
  lease_id: z.string().nullish(),
  lease_duration: seconds,
  renewable: z.boolean().default(false),
  data: z.record(z.string(), z.unknown()).nullish(),
  auth: z
    .object({
      client_token: z.string().min(1),
      lease_duration: seconds,
      renewable: z.boolean().default(false),
    })
    .nullish(),
});

const sent = z.object({
  uri: z.string(),
  method: z.enum(['GET', 'POST']),
  headers: z.record(z.string(), z.string()),
  json: z.unknown().optional(),
});

const received = z.object({ statusCode: z.number(), body: z.unknown() });
const problem = z.object({ errors: z.array(z.string()) });

export function createVaultClient(options: VaultClientOptions): VaultClient {
  let loaded: Promise<Client> | undefined;
  const client = (): Promise<Client> => (loaded ??= load(options));
  const headersFor = (token: Secret | undefined): Record<string, string> => ({
    // Asked for by Vault agents that stand between; no harm elsewhere.
    'X-Vault-Request': 'true',
    ...(options.namespace === undefined ? {} : { 'X-Vault-Namespace': options.namespace }),
    ...(token === undefined ? {} : { 'X-Vault-Token': token.reveal() }),
  });
  const judged = (response: unknown): VaultAnswer => readAnswer(response);

  return {
    read: async (path, token, query) => {
      const full =
        query === undefined
          ? encodePath(path)
          : `${encodePath(path)}?${new URLSearchParams(query).toString()}`;
      return judged(await (await client()).read(full, { headers: headersFor(token) }));
    },
    write: async (path, body, token) =>
      judged(await (await client()).write(encodePath(path), body, { headers: headersFor(token) })),
  };
}

type Client = ReturnType<typeof vault>;

/** When it is first called: `node-vault` brings megabytes along, which a proxy without a Vault does not pay for. */
async function load({ address, transport }: VaultClientOptions): Promise<Client> {
  const { default: open } = await import('node-vault');
  const client = open({
    endpoint: address,
    debug: () => undefined,
    'request-promise': { defaults: () => (request: unknown) => carry(request, transport) },
  });
  // Empty where node-vault would take the environment's.
  Object.assign(client, { token: '', namespace: '', pathPrefix: '' });
  client.handleVaultResponse = (response: unknown) => Promise.resolve(response);
  return client;
}

async function carry(request: unknown, transport: Transport): Promise<z.infer<typeof received>> {
  const { uri, method, headers, json } = sent.parse(request);
  const body = method === 'POST' ? JSON.stringify(json) : undefined;
  const { status, body: answered } = await transport.send({ url: uri, method, headers, body });
  return { statusCode: status, body: answered };
}

/** Each segment as it is meant: a `?`, `#` or `%` in a name is part of the name. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function readAnswer(response: unknown): VaultAnswer {
  const { statusCode, body } = received.parse(response);
  if (statusCode !== 200 && statusCode !== 204) throw refused(statusCode, body);
  const parsed = answer.safeParse(body ?? {});
  if (!parsed.success)
    throw new VaultError('vault_unreadable', "Vault's answer has another form than it should", {
      status: statusCode,
    });
  const { lease_id, lease_duration, renewable, data, auth } = parsed.data;
  return {
    leaseId: lease_id ?? '',
    leaseMs: lease_duration * 1000,
    renewable,
    data: data ?? {},
    auth:
      auth === null || auth === undefined
        ? undefined
        : {
            token: new Secret(auth.client_token),
            ttlMs: auth.lease_duration * 1000,
            renewable: auth.renewable,
          },
  };
}

const MAX_DETAIL = 300;

function refused(status: number, body: unknown): VaultError {
  const detail = problem.safeParse(body).data?.errors.join('; ').slice(0, MAX_DETAIL);
  return new VaultError('vault_refused', meaningOf(status), { status, detail });
}

function meaningOf(status: number): string {
  if (status === 403) return 'Vault denies it (status 403): its policy does not allow this role to do that';
  if (status === 404) return 'Vault has nothing at that path (status 404)';
  return `Vault refuses (status ${status})`;
}
