import { expect, test } from 'vitest';
import { z } from 'zod';
import { silentLogger } from '../../../lib/log.ts';
import { manualClock, type ManualClock } from '../../../test/fixtures/manual-clock.ts';
import {
  broken,
  list,
  refusal,
  silent,
  startWatchServer,
  watching,
  type Step,
  type WatchServer,
} from '../../../test/fixtures/watch-server.ts';
import type { Change } from './cache.ts';
import { openKubeClient, type KubeClient } from './client.ts';
import { REFLECTOR_TIMES, startReflector, type Reflector, type ReflectorOptions } from './reflector.ts';
import { namespacedMeta } from './resource.ts';

const thing = z.object({ metadata: namespacedMeta });
type Thing = z.output<typeof thing>;
const things = { apiVersion: 'example.test/v1', plural: 'things', schema: thing };

function object(name: string, version: number, uid = `uid-${name}`): Record<string, unknown> {
  return {
    metadata: {
      namespace: 'tools',
      name,
      uid,
      resourceVersion: String(version),
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
  };
}

interface Scene extends AsyncDisposable {
  readonly server: WatchServer;
  readonly clock: ManualClock;
  readonly reflector: Reflector<Thing>;
  /** `added a@1` … */
  readonly told: string[];
  /** Turns the clock until that many requests have come. */
  readonly untilAsked: (count: number) => Promise<void>;
  readonly until: (holds: () => boolean) => Promise<void>;
}

async function play(script: readonly Step[], change: Partial<ReflectorOptions<Thing>> = {}): Promise<Scene> {
  const server = await startWatchServer(script);
  const client: KubeClient = openKubeClient({ from: 'text', kubeconfig: server.kubeconfig });
  const clock = manualClock();
  const told: string[] = [];
  const reflector = startReflector<Thing>(
    {
      resource: things,
      onChange: (one: Change<Thing>) => {
        const { name, resourceVersion } = one.object.metadata;
        told.push(`${one.type} ${name}@${resourceVersion}`);
      },
      ...change,
    },
    { client, clock, log: silentLogger(), random: () => 0.5 },
  );
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      // A second of the reflector's time for every turn of the event loop.
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return {
    ...{ server, clock, reflector, told, until },
    untilAsked: (count) => until(() => server.asked.length >= count),
    [Symbol.asyncDispose]: async () => {
      await reflector.stop();
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const settled = (scene: Scene, count: number) => scene.until(() => scene.told.length >= count);

test('lists page by page, then watches from there, and asks for bookmarks and an end', async () => {
  await using scene = await play([
    list([object('a', 1)], '', 'more'),
    list([object('b', 2)], '7'),
    watching([['ADDED', object('c', 8)]], 'stay'),
  ]);
  await settled(scene, 3);
  expect(scene.told).toEqual(['added a@1', 'added b@2', 'added c@8']);
  const [first, second, watch] = scene.server.asked;
  expect(first?.query.get('limit')).toBe('500');
  expect(second?.query.get('continue')).toBe('more');
  expect(Object.fromEntries(watch?.query ?? [])).toMatchObject({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: '7',
    timeoutSeconds: String((REFLECTOR_TIMES.watch / 1000) * 1.5),
  });
});

test('says it has synced after the first whole list and not before', async () => {
  let synced = 0;
  await using scene = await play(
    [refusal(503, 'ServiceUnavailable'), list([object('a', 1)], '', 'more'), silent],
    { onSynced: () => (synced += 1) },
  );
  await scene.untilAsked(3);
  expect([scene.reflector.hasSynced(), synced, scene.told]).toEqual([false, 0, []]);
});

test.each([
  ['a connection that breaks', broken],
  ['an error of the server', refusal(500, 'InternalError')],
  ['too many requests', refusal(429, 'TooManyRequests', { 'retry-after': '1' })],
  ['no permission', refusal(403, 'Forbidden')],
  ['an answer that is no list', watching(['<html>'], 'end')],
  [
    'an ERROR event that is not 410',
    watching([['ERROR', { kind: 'Status', code: 500, message: 'etcd' }]], 'end'),
  ],
  ['an ERROR event of no form', watching([['ERROR', 'boom']], 'end')],
  ['a line that is no JSON', watching(['{"type":\n'], 'end')],
  ['an event that has no type', watching(['{}\n'], 'end')],
  ['a bookmark without a version', watching([['BOOKMARK', {}]], 'end')],
  ['an event of a type that nobody knows', watching([['RENAMED', object('a', 9)]], 'end')],
])('goes on after %s, in the list and in the watch', async (_, fault) => {
  await using scene = await play([
    fault,
    list([object('a', 1)], '5'),
    fault,
    watching([['MODIFIED', object('a', 6)]], 'stay'),
  ]);
  await settled(scene, 2);
  expect(scene.told).toEqual(['added a@1', 'updated a@6']);
  expect(scene.server.asked.map(({ isWatch }) => isWatch)).toEqual([false, false, true, true]);
  expect(scene.server.asked[3]?.query.get('resourceVersion')).toBe('5');
});

test('watches on from the last event and from bookmarks', async () => {
  await using scene = await play([
    list([], '1'),
    watching([['ADDED', object('a', 4)]], 'end'),
    watching([['BOOKMARK', { metadata: { resourceVersion: '90' } }]], 'end'),
    silent,
  ]);
  await scene.untilAsked(4);
  expect(scene.server.asked.slice(1).map(({ query }) => query.get('resourceVersion'))).toEqual([
    '1',
    '4',
    '90',
  ]);
});

test.each([
  ['as an answer', refusal(410, 'Expired')],
  ['as an event', watching([['ERROR', { kind: 'Status', code: 410, reason: 'Expired' }]], 'end')],
])('lists anew when its version is gone, told %s, and goes on when that fails too', async (_, gone) => {
  await using scene = await play([
    list([object('a', 1), object('b', 1)], '5'),
    gone,
    refusal(500, 'InternalError'),
    list([object('b', 8)], '9'),
    watching([['ADDED', object('c', 10)]], 'stay'),
  ]);
  await settled(scene, 5);
  expect(scene.told).toEqual(['added a@1', 'added b@1', 'deleted a@1', 'updated b@8', 'added c@10']);
  expect(scene.server.asked.map(({ isWatch }) => isWatch)).toEqual([false, true, false, false, true]);
});

test('begins the list anew when a page of it is gone', async () => {
  await using scene = await play([
    list([object('a', 1)], '', 'more'),
    refusal(410, 'Expired'),
    list([object('b', 2)], '9'),
    silent,
  ]);
  await scene.untilAsked(4);
  expect(scene.told).toEqual(['added b@2']);
});

test('lists anew when a version cannot be watched from, whatever the reason', async () => {
  await using scene = await play([
    list([], '5'),
    refusal(504, 'Timeout'),
    refusal(504, 'Timeout'),
    refusal(504, 'Timeout'),
    list([object('a', 6)], '6'),
    silent,
  ]);
  await scene.untilAsked(6);
  expect(scene.told).toEqual(['added a@6']);
});

test('an object that was deleted and created anew is deleted, then added, across a list and in a watch', async () => {
  await using scene = await play([
    list([object('a', 1, 'first')], '5'),
    refusal(410, 'Expired'),
    list([object('a', 8, 'second')], '9'),
    watching([['MODIFIED', object('a', 10, 'third')]], 'stay'),
  ]);
  await settled(scene, 5);
  expect(scene.told).toEqual(['added a@1', 'deleted a@1', 'added a@8', 'deleted a@8', 'added a@10']);
});

test('the late end of an object that has a successor changes nothing', async () => {
  await using scene = await play([
    list([object('a', 1, 'second')], '5'),
    watching(
      [
        ['DELETED', object('a', 6, 'first')],
        ['ADDED', object('b', 7)],
      ],
      'stay',
    ),
  ]);
  await settled(scene, 2);
  expect(scene.told).toEqual(['added a@1', 'added b@7']);
});

test('a listener that throws stops nothing', async () => {
  const seen: string[] = [];
  await using scene = await play(
    [list([object('a', 1)], '5'), watching([['MODIFIED', object('a', 6)]], 'stay')],
    {
      onChange: ({ type }) => {
        seen.push(type);
        throw new Error('a bug');
      },
      onSynced: () => {
        throw new Error('another');
      },
    },
  );
  await scene.until(() => seen.length >= 2);
  expect(scene.reflector.get('tools/a')?.metadata.resourceVersion).toBe('6');
  expect(scene.server.asked).toHaveLength(2);
});

test('an object that cannot be read is left out; the others are there', async () => {
  await using scene = await play([
    list([{ metadata: { name: 'x' } }, object('a', 1)], '5'),
    watching(
      [
        ['ADDED', { metadata: {} }],
        ['ADDED', object('b', 6)],
      ],
      'stay',
    ),
  ]);
  await settled(scene, 2);
  expect(scene.told).toEqual(['added a@1', 'added b@6']);
});

test('a resource in which nothing happens is watched until the end that was asked for, by one connection', async () => {
  await using scene = await play([list([], '5'), watching([], 'stay')]);
  await scene.server.askedTimes(2);
  scene.clock.advance(REFLECTOR_TIMES.watch);
  expect(scene.server.asked).toHaveLength(2);
  // Past the end and the grace the connection is dead, and another takes its place.
  await scene.untilAsked(3);
  expect(scene.server.asked[2]).toMatchObject({ isWatch: true });
  await scene.until(() => scene.server.open() === 1);
});

test('lists anew from time to time, whatever the watch says', async () => {
  await using scene = await play([list([], '5'), watching([], 'end')]);
  await scene.server.askedTimes(2);
  scene.clock.advance(REFLECTOR_TIMES.resync * 2);
  await scene.until(() => scene.server.asked.slice(2).some(({ isWatch }) => !isWatch));
});

test('a server that ends every watch at once is not asked in a loop', async () => {
  await using scene = await play([list([], '5'), watching([], 'end')]);
  await scene.server.askedTimes(2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(scene.server.asked).toHaveLength(2);
});

test('what the server wants to be left alone for is waited for', async () => {
  await using scene = await play([refusal(429, 'TooManyRequests', { 'retry-after': '60' }), silent]);
  await scene.server.askedTimes(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  scene.clock.advance(59_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(scene.server.asked).toHaveLength(1);
  await scene.untilAsked(2);
});

test.each([
  ['while it lists', [silent], 1],
  ['while it waits for another attempt', [broken], 1],
  ['while it watches', [list([], '5'), watching([], 'stay')], 2],
])('stops %s, and asks for nothing more', async (_, script, requests) => {
  await using scene = await play(script);
  await scene.server.askedTimes(requests);
  await scene.reflector.stop();
  scene.clock.advance(3_600_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(scene.server.asked).toHaveLength(requests);
  expect(scene.server.open()).toBe(0);
});
