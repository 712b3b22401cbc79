/**
 * Keeps a copy of one resource: lists it page by page, then watches from there. Every way in which that can fail
 * ends in another attempt from the last version that was seen, or in a new list where that version is gone.
 */
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { createBackoff } from './backoff.ts';
import { createCache, type Change } from './cache.ts';
import type { KubeClient, KubeQuery } from './client.ts';
import { isRefused, KubeRefused } from './errors.ts';
import { listAll } from './list.ts';
import { pathOf, type KubeObject, type Resource } from './resource.ts';
import { watchEventOf } from './watch-events.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** Without it: every namespace. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Told of every change, in order, and of nothing before the first whole list. What it throws is logged. */
  readonly onChange: (change: Change<T>) => void;
  /** Told once a list is complete, the first and every later one. What it throws is logged. */
  readonly onSynced?: () => void;
}

export interface ReflectorDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly times?: ReflectorTimes;
}

/** All in milliseconds. */
export interface ReflectorTimes {
  readonly firstBackoff: number;
  readonly mostBackoff: number;
  /** A watch is asked to last so long, and up to twice that. */
  readonly watch: number;
  /** How much longer than asked for a watch may last before its connection counts as dead. */
  readonly grace: number;
  /** Lists anew this often, whatever the watch said: the net under events that were never sent. */
  readonly resync: number;
}

export const REFLECTOR_TIMES: ReflectorTimes = {
  firstBackoff: 500,
  mostBackoff: 30_000,
  watch: 240_000,
  grace: 10_000,
  resync: 30 * 60_000,
};

export interface Reflector<T> {
  hasSynced(): boolean;
  get(key: string): T | undefined;
  all(): readonly T[];
  /** Resolves when nothing more is told and no connection is left. */
  stop(): Promise<void>;
}

/** A version that cannot be watched from, whatever the reason, must not be tried for ever. */
const FAILURES_BEFORE_LIST = 3;

/** Starts at once. */
export function startReflector<T extends KubeObject>(
  options: ReflectorOptions<T>,
  deps: ReflectorDeps,
): Reflector<T> {
  const { client, clock, random } = deps;
  const times = deps.times ?? REFLECTOR_TIMES;
  const log = deps.log.child({ resource: options.resource.plural });
  const path = pathOf(options.resource, { namespace: options.namespace });
  const selectors: KubeQuery = {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
  };
  const cache = createCache<T>();
  const stopping = new AbortController();
  const backoff = createBackoff({ firstMs: times.firstBackoff, mostMs: times.mostBackoff, random });
  let synced = false;
  /** Where the next watch begins; without it the next step is a list. */
  let version: string | undefined;
  let resyncAt = 0;

  const guarded = (tell: () => void): void => {
    try {
      tell();
    } catch (err) {
      log.error({ err }, 'What listens to changes failed; the change is kept.');
    }
  };
  const tell = (changes: readonly Change<T>[]): void => {
    for (const change of changes) guarded(() => options.onChange(change));
  };
  /** An object that has no form that we know is left out and named; the others go on. */
  const read = (value: unknown): T | undefined => {
    const parsed = options.resource.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    log.error({ reason: parsed.error.issues[0]?.message }, 'An object cannot be read and is passed over.');
    return undefined;
  };

  const list = async (): Promise<void> => {
    const listed = await listAll(client, { path, query: selectors, signal: stopping.signal });
    tell(cache.replace(listed.items.flatMap((item) => read(item) ?? [])));
    version = listed.resourceVersion;
    resyncAt = clock.now() + times.resync * (1 + random() / 4);
    synced = true;
    guarded(() => options.onSynced?.());
  };

  const take = (text: string): void => {
    const event = watchEventOf(text);
    if (event.type === 'BOOKMARK') {
      version = event.resourceVersion;
      return;
    }
    const object = read(event.object);
    if (object === undefined) return;
    tell(event.type === 'DELETED' ? cache.remove(object) : cache.put(object));
    version = object.metadata.resourceVersion;
  };

  const watch = async (from: string): Promise<void> => {
    const lasts = Math.min(times.watch * (1 + random()), Math.max(resyncAt - clock.now(), 1_000));
    const dead = new AbortController();
    const disarm = clock.after(lasts + times.grace, () => dead.abort());
    const query = {
      ...selectors,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: from,
      timeoutSeconds: Math.ceil(lasts / 1000),
    };
    try {
      const signal = AbortSignal.any([stopping.signal, dead.signal]);
      for await (const line of client.lines({ path, query, signal })) {
        take(line);
        backoff.reset();
      }
    } catch (error) {
      // A connection that said nothing for too long is replaced, and nobody is to blame.
      if (!dead.signal.aborted) throw error;
    } finally {
      disarm();
    }
  };

  const step = async (): Promise<void> => {
    if (clock.now() >= resyncAt) version = undefined;
    if (version === undefined) await list();
    else await watchAtLeast(version);
  };
  /** A server that ends watches as soon as they begin must not be asked in a loop. */
  const watchAtLeast = async (from: string): Promise<void> => {
    const began = clock.now();
    await watch(from);
    if (clock.now() - began < times.firstBackoff) await sleep(clock, backoff.next(), stopping.signal);
  };

  const run = async (): Promise<void> => {
    const stopped = (): boolean => stopping.signal.aborted;
    while (!stopped()) {
      try {
        await step();
      } catch (error) {
        if (stopped()) return;
        const wait = backoff.next(error instanceof KubeRefused ? error.retryAfterMs : undefined);
        if (isRefused(error, 410) || backoff.failures() >= FAILURES_BEFORE_LIST) version = undefined;
        log.warn(
          { reason: sentenceOf(error), againInMs: Math.round(wait) },
          'The API server is asked again.',
        );
        await sleep(clock, wait, stopping.signal);
      }
    }
  };

  const ended = run();
  return {
    hasSynced: () => synced,
    get: (key) => cache.get(key),
    all: () => cache.all(),
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  const end = (): void => over.resolve(undefined);
  const disarm = clock.after(ms, end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await over.promise;
  disarm();
  signal.removeEventListener('abort', end);
}
