/** The API server's transport: the one file that knows @kubernetes/client-node, which reads kubeconfigs and credentials. */
import { KubeConfig, RequestContext } from '@kubernetes/client-node';
import { request, type Dispatcher } from 'undici';
import { sentenceOf } from '../../../lib/errors.ts';
import { KubeConfigError, KubeUnreachable, refusalOf } from './errors.ts';

export type KubeQuery = Readonly<Record<string, string | number | boolean | undefined>>;

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, without query: `/api/v1/pods`. */
  readonly path: string;
  readonly query?: KubeQuery;
  readonly body?: unknown;
  /** Of a PATCH: which kind of patch `body` is. */
  readonly patch?: 'apply' | 'merge' | 'json';
  readonly signal?: AbortSignal;
}

/** Speaks to one API server as one user. */
export interface KubeClient {
  /** Its address, for sentences. */
  readonly server: string;
  /** The parsed answer. Throws KubeRefused for a refusal and KubeUnreachable where there was no answer. */
  request(wanted: KubeRequest): Promise<unknown>;
  /** The lines of an answer that goes on, as of a watch; ends when the server ends it, throws as `request` does. */
  lines(wanted: Pick<KubeRequest, 'path' | 'query'> & { signal: AbortSignal }): AsyncIterable<string>;
  close(): Promise<void>;
}

export type KubeCredentials =
  | { readonly from: 'cluster' }
  /** Without `file`: KUBECONFIG, or the usual place. */
  | { readonly from: 'kubeconfig'; readonly file?: string | undefined; readonly context?: string | undefined }
  | { readonly from: 'text'; readonly kubeconfig: string };

const REQUEST_TIMEOUT_MS = 30_000;
/** Certificates and roots on disk are rotated; connections that were made with the old ones are left behind. */
const DISPATCHER_LIFE_MS = 10 * 60_000;
/** No line of a watch is longer: etcd takes no larger object. */
const MAX_LINE = 8 * 1024 * 1024;

/** The keys of service accounts have a type of their own, and are refused to who does not name it. */
const ACCEPT = 'application/json, application/jwk-set+json';

const PATCH_TYPES = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
} as const;

/** Throws KubeConfigError where there are no credentials that can be used. */
export function openKubeClient(credentials: KubeCredentials): KubeClient {
  const config = loaded(credentials);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new KubeConfigError('The kubeconfig has no current context that names a cluster.');
  const server = cluster.server.replace(/\/$/, '');
  const connections = dispatchers();

  const send = async (
    wanted: Omit<KubeRequest, 'signal'>,
    options: { signal: AbortSignal; bodyTimeout: number },
  ): Promise<Dispatcher.ResponseData> => {
    const url = urlOf(server, wanted);
    const context = new RequestContext(url, wanted.method);
    try {
      await config.applySecurityAuthentication(context);
      return await request(url, {
        method: wanted.method,
        headers: { ...context.getHeaders(), accept: ACCEPT, ...typeOf(wanted) },
        body: wanted.body === undefined ? null : JSON.stringify(wanted.body),
        ...dispatcherIn(connections.current(context.getDispatcher())),
        headersTimeout: REQUEST_TIMEOUT_MS,
        ...options,
      });
    } catch (cause) {
      options.signal.throwIfAborted();
      throw new KubeUnreachable(`The API server at ${server} cannot be reached: ${reasonOf(cause)}.`, {
        cause,
      });
    }
  };

  return {
    server,
    request: async ({ signal, ...wanted }) => {
      const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      const response = await send(wanted, {
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        bodyTimeout: REQUEST_TIMEOUT_MS,
      });
      const text = await response.body.text();
      if (response.statusCode >= 400) throw refusalOf(response, text, wanted);
      return jsonOf(text, server);
    },
    lines: async function* ({ signal, ...wanted }) {
      // A resource in which nothing happens is no dead connection: how long a watch lasts is the caller's to say.
      const response = await send({ ...wanted, method: 'GET' }, { signal, bodyTimeout: 0 });
      if (response.statusCode >= 400)
        throw refusalOf(response, await response.body.text(), { ...wanted, method: 'GET' });
      yield* linesOf(response.body);
    },
    close: () => connections.close(),
  };
}

/** What the library makes up where it finds no kubeconfig. */
const NOWHERE = 'http://localhost:8080';

function loaded(credentials: KubeCredentials): KubeConfig {
  const config = new KubeConfig();
  try {
    if (credentials.from === 'cluster') config.loadFromCluster();
    else if (credentials.from === 'text') config.loadFromString(credentials.kubeconfig);
    else if (credentials.file === undefined) config.loadFromDefault({ onInvalidEntry: 'throw' });
    else config.loadFromFile(credentials.file);
    if (credentials.from === 'kubeconfig' && credentials.context !== undefined) {
      config.setCurrentContext(credentials.context);
    }
    if (config.getCurrentCluster()?.server === NOWHERE) throw new Error('there is none');
    return config;
  } catch (cause) {
    throw new KubeConfigError(`The kubeconfig cannot be used: ${sentenceOf(cause)}.`, { cause });
  }
}

interface Dispatchers {
  /** The connections in use; `fresh` has the credentials as they are now and takes over when its time has come. */
  current(fresh: Dispatcher | undefined): Dispatcher | undefined;
  close(): Promise<void>;
}

/** The library makes new connections for every request; these are kept, and left behind before they grow old. */
function dispatchers(): Dispatchers {
  let kept: { readonly dispatcher: Dispatcher; readonly until: number } | undefined;
  return {
    current: (fresh) => {
      const now = performance.now();
      if (fresh === undefined || (kept !== undefined && now < kept.until)) return kept?.dispatcher;
      // What still runs over the old ones, ends there.
      void kept?.dispatcher.close();
      kept = { dispatcher: fresh, until: now + DISPATCHER_LIFE_MS };
      return fresh;
    },
    close: async () => {
      await kept?.dispatcher.destroy();
    },
  };
}

function dispatcherIn(dispatcher: Dispatcher | undefined): { dispatcher?: Dispatcher } {
  return dispatcher === undefined ? {} : { dispatcher };
}

function urlOf(server: string, { path, query = {} }: Pick<KubeRequest, 'path' | 'query'>): string {
  const url = new URL(server + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

function typeOf({ method, body, patch }: Omit<KubeRequest, 'signal'>): Record<string, string> {
  if (body === undefined) return {};
  return { 'content-type': method === 'PATCH' ? PATCH_TYPES[patch ?? 'merge'] : 'application/json' };
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw new KubeUnreachable('The API server sent a line that is too long.');
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}

function jsonOf(text: string, server: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KubeUnreachable(`What answers at ${server} is not an API server: its answer is no JSON.`, {
      cause,
    });
  }
}

function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return sentenceOf(inner).replace(/[.\s]+$/, '');
}
