/** Keeps the certificates of the installation in a Secret, and tells the API server and the recorder of them. */
import { z } from 'zod';
import { GatehouseError } from '../../lib/errors.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';
import { isRefused } from '../source/kubernetes/errors.ts';
import { pathOf } from '../source/kubernetes/resource.ts';
import { planCertificates, rootsOf, type Certificates, type Servers } from './certificate-plan.ts';

/** The certificates can be neither read nor written. */
export class CertificatesError extends GatehouseError {
  readonly code = 'bad_certificates';
}

export interface CertificateKeeper {
  /** The certificates as they are to be now. Every replica may ask at any time: who writes second reads again. */
  refresh(): Promise<Certificates>;
}

interface KeeperDeps {
  readonly client: Pick<KubeClient, 'request'>;
  readonly now: () => number;
}

export interface KeeperOptions {
  /** Of the installation. */
  readonly namespace: string;
  readonly servers: Servers;
  /** Secrets of type kubernetes.io/tls that hold the certificates of servers which are other pods. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Name of the webhook configurations whose caBundle follows the roots; undefined where somebody else keeps it. */
  readonly webhooks: string | undefined;
}

const SECRETS = { apiVersion: 'v1', plural: 'secrets' };
const SECRET_NAME = 'gatehouse-certificates';
const CONTENT = 'certificates.json';
const ADMISSION = 'admissionregistration.k8s.io/v1';
const CONFIGURATIONS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
const MAX_RACES = 10;

const keyPair = z.object({ cert: z.string(), key: z.string() });
const content = z.object({
  authorities: z.array(keyPair).min(1),
  leaves: z.record(z.string(), keyPair),
  probeKey: z.string().min(1),
});
const secret = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()).default({}),
});
const configuration = z.object({
  webhooks: z.array(z.object({ clientConfig: z.object({ caBundle: z.string().optional() }) })).default([]),
});

interface Written {
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
  readonly before: z.output<typeof secret> | undefined;
}

export function createCertificateKeeper(
  options: KeeperOptions,
  { client, now }: KeeperDeps,
): CertificateKeeper {
  const { namespace } = options;

  /** Undefined for what is not there, as configurations while the chart is uninstalled. */
  const found = async (wanted: { method: 'GET'; path: string }): Promise<unknown> => {
    try {
      return await client.request(wanted);
    } catch (error) {
      if (isRefused(error, 404)) return undefined;
      throw error;
    }
  };
  const read = async (name: string): Promise<z.output<typeof secret> | undefined> => {
    const object = await found({ method: 'GET', path: pathOf(SECRETS, { namespace, name }) });
    return object === undefined ? undefined : secret.parse(object);
  };
  /** Writes over `before` alone; whether it did, and not where another one was first. */
  const write = async (name: string, { type, data, before }: Written): Promise<boolean> => {
    const metadata = { namespace, name, resourceVersion: before?.metadata.resourceVersion };
    const body = { apiVersion: 'v1', kind: 'Secret', type, metadata, data: encoded(data) };
    const request =
      before === undefined
        ? { method: 'POST' as const, path: pathOf(SECRETS, { namespace }) }
        : { method: 'PUT' as const, path: pathOf(SECRETS, { namespace, name }) };
    try {
      await client.request({ ...request, body });
      return true;
    } catch (error) {
      if (isRefused(error, 409)) return false;
      throw error;
    }
  };

  const keep = async (): Promise<Certificates> => {
    for (let race = 0; race < MAX_RACES; race += 1) {
      const before = await read(SECRET_NAME);
      const kept = keptIn(before?.data[CONTENT], namespace);
      const planned = planCertificates(kept, options.servers, now());
      if (planned === kept) return planned;
      const data = { [CONTENT]: JSON.stringify(planned) };
      if (await write(SECRET_NAME, { type: 'Opaque', data, before })) return planned;
    }
    throw new CertificatesError(
      `The Secret ${namespace}/${SECRET_NAME} is being changed by too many at once.`,
    );
  };

  const tellServers = async (certificates: Certificates): Promise<void> => {
    for (const [server, name] of Object.entries(options.secrets)) {
      const leaf = certificates.leaves[server];
      if (leaf === undefined) continue;
      const data = { 'tls.crt': leaf.cert, 'tls.key': leaf.key, 'ca.crt': rootsOf(certificates) };
      const before = await read(name);
      const isThere = Object.entries(encoded(data)).every(([key, value]) => before?.data[key] === value);
      // Who loses a race is told the next time; both were about to write the same.
      if (!isThere) await write(name, { type: 'kubernetes.io/tls', data, before });
    }
  };
  const tellApiServer = async (certificates: Certificates): Promise<void> => {
    const name = options.webhooks;
    if (name === undefined) return;
    const caBundle = Buffer.from(rootsOf(certificates)).toString('base64');
    for (const plural of CONFIGURATIONS) {
      const path = pathOf({ apiVersion: ADMISSION, plural }, { name });
      const { webhooks } = configuration.parse((await found({ method: 'GET', path })) ?? {});
      const body = webhooks.flatMap(({ clientConfig }, index) =>
        clientConfig.caBundle === caBundle
          ? []
          : [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle }],
      );
      if (body.length > 0) await client.request({ method: 'PATCH', patch: 'json', path, body });
    }
  };

  return {
    refresh: async () => {
      const certificates = await keep();
      await tellApiServer(certificates);
      await tellServers(certificates);
      return certificates;
    },
  };
}

/** What is not readable is not thrown away: every sidecar trusts the roots in it. */
function keptIn(text: string | undefined, namespace: string): Certificates | undefined {
  if (text === undefined) return undefined;
  const read = content.safeParse(jsonOf(Buffer.from(text, 'base64').toString('utf8')));
  if (read.success) return read.data;
  throw new CertificatesError(
    `The Secret ${namespace}/${SECRET_NAME} cannot be read; restore it, or remove it and create all guarded pods anew.`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function encoded(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
}
