import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../lib/log.ts';
import { freePort } from '../../../test/fixtures/child.ts';
import { compileMasker, createKnownSecrets } from '../../engine/mask/index.ts';
import { Databases } from './databases.ts';

let home: string;
let databases: Databases<never> | undefined;
beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'gatehouse-databases-'))));
afterEach(async () => {
  await databases?.close();
  await rm(home, { recursive: true });
});

const never = (): never => {
  throw new Error('Nothing is said here.');
};

function behind(databasePorts: readonly number[] | undefined): Databases<never> {
  const known = createKnownSecrets({ now: Date.now });
  const masker = compileMasker([], { known, hashKey: Buffer.alloc(32) });
  databases = new Databases<never>({
    authorityDirectory: home,
    databasePorts,
    known,
    policy: () => ({ masker, policies: [], judges: false, judge: () => undefined }),
    ownerOf: never,
    lend: never,
    replace: never,
    record: never,
    dial: never,
    now: Date.now,
    log: silentLogger(),
  });
  return databases;
}

const bundle = (...ports: number[]) => ({
  server: { transport: 'Stdio' as const, path: '/mcp', passthrough: [], command: ['true'] },
  credentials: ports.map((listen) => ({
    name: `on-${listen}`,
    scope: 'Session' as const,
    whenShared: 'Queue' as const,
    source: { devFile: { path: '/nowhere' } },
    inject: {
      postgres: { listen, upstream: { host: 'db', port: 5432 }, database: 'a b', env: `URL_${listen}` },
    },
  })),
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const say = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', say(true)).once('error', say(false));
  });
}

test('a port is open for as long as a bundle has it', async () => {
  const [one, two] = [await freePort(), await freePort()];
  const all = behind(undefined);
  await all.put(bundle(one));
  expect([await isOpen(one), await isOpen(two)]).toEqual([true, false]);
  await all.put(bundle(two));
  expect([await isOpen(one), await isOpen(two)]).toEqual([false, true]);
  await all.put(bundle());
  expect([await isOpen(one), await isOpen(two)]).toEqual([false, false]);
});

test('a port that the pod was not made for stays shut, and no variable leads there', async () => {
  const [made, other] = [await freePort(), await freePort()];
  const some = behind([made]);
  await some.put(bundle(made, other));
  expect([await isOpen(made), await isOpen(other)]).toEqual([true, false]);
  const { environment } = some.proofFor('session', () => () => undefined);
  expect(Object.keys(environment)).toEqual([`URL_${made}`]);
  expect(environment[`URL_${made}`]).toMatch(
    new RegExp(`^postgres://gatehouse:[\\w-]{32}@127\\.0\\.0\\.1:${made}/a%20b$`),
  );
});
