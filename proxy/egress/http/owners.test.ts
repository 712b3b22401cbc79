/** Whose call a connection outward makes: of sessions that share a gateway, and of gateways that share a listener. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, ask2, openHttp2, openTls, tunnelTo } from '../../../test/fixtures/egress-client.ts';
import { EgressWorld, freshPlaceholder } from '../../../test/fixtures/egress-world.ts';
import { silentLogger } from '../../../lib/log.ts';
import { Secret } from '../../../lib/secret.ts';
import type { Whose } from '../../session/whose-call.ts';
import type { OutboundEvent } from '../event.ts';
import type { OutboundCredential } from './credential.ts';
import { HttpEgress } from './index.ts';

const API = 'api.example.test';
const credential = (name: string, placeholder = freshPlaceholder()) =>
  ({
    name,
    whenShared: 'Queue',
    hosts: [{ host: API, port: 443 }],
    header: { name: 'Authorization', value: 'Bearer {{ token }}' },
    placeholder,
    env: 'API_TOKEN',
  }) satisfies OutboundCredential;

let world: EgressWorld;
beforeEach(async () => {
  world = await EgressWorld.create();
});
afterEach(() => world[Symbol.asyncDispose]());

/** What came over each connection to the upstream, by its port there. */
interface Seen {
  readonly port: number;
  readonly authorization: string;
}

async function upstream(): Promise<{ seen: Seen[]; port: number }> {
  const seen: Seen[] = [];
  const port = await world.upstream([API], {
    onRequest: ({ headers, socket }, response) => {
      seen.push({ port: socket.remotePort ?? 0, authorization: headers.authorization ?? 'none' });
      response.end('ok');
    },
    onStream: (stream, headers) => {
      const authorization = headers.authorization ?? 'none';
      seen.push({ port: stream.session?.socket.remotePort ?? 0, authorization });
      stream.respond({ ':status': 200 });
      stream.end('ok');
    },
  });
  return { seen, port };
}

describe('two sessions of one gateway', () => {
  const placeholder = freshPlaceholder();
  let session = 'a';
  const whoseCall = {
    ownerOf: () => ({ whose: { session }, call: undefined }),
    onChange: () => () => undefined,
  };

  test.each(['HTTP/1.1', 'HTTP/2'])(
    'never share a connection to an upstream over %s, also where the server has one for both',
    async (protocol) => {
      const { seen } = await upstream();
      await world.start({ credentials: [credential('api', placeholder)], deps: { whoseCall } });
      const headers = { authorization: `Bearer ${placeholder.value}` };
      const get = await (protocol === 'HTTP/2' ? over2(headers) : over1(headers));
      for (const next of ['a', 'b', 'b', 'a', 'b', 'a']) {
        session = next;
        expect(await get()).toBe(200);
        const last = seen.at(-1);
        expect(last?.authorization).toBe(`Bearer ${world.secretOf('api', { session })}`);
      }
      const ports = (owner: string): Set<number> =>
        new Set(
          seen
            .filter(({ authorization }) => authorization.endsWith(world.secretOf('api', { session: owner })))
            .map(({ port }) => port),
        );
      expect(seen).toHaveLength(6);
      expect([...ports('a')].filter((port) => ports('b').has(port))).toEqual([]);
    },
  );

  async function over1(headers: Record<string, string>): Promise<() => Promise<number>> {
    const socket = await openTls(world, API);
    // One connection of the server's for all that it asks.
    return async () => (await ask(socket, API, { headers: { ...headers, connection: 'keep-alive' } })).status;
  }

  async function over2(headers: Record<string, string>): Promise<() => Promise<number>> {
    const opened = await openHttp2(world, API);
    return async () => (await ask2(opened, { ':path': '/', ...headers })).status;
  }
});

describe('two gateways of one listener', () => {
  let egress: HttpEgress;
  const events: (OutboundEvent & { readonly gateway: string })[] = [];
  afterEach(async () => {
    await egress.close();
    events.length = 0;
  });

  async function open(ports: readonly number[]): Promise<void> {
    egress = new HttpEgress({
      listen: { host: '127.0.0.1', port: 0 },
      resolve: world.resolve,
      reserved: [],
      authorityDirectory: join(world.directory, 'authority'),
      trustDirectory: join(world.directory, 'environment'),
      now: Date.now,
      log: silentLogger(),
    });
    for (const name of ['default/one', 'default/two']) {
      const lend = (_: string, whose: Whose) => {
        expect(whose).toBe('pod');
        return Promise.resolve({
          expiresAt: undefined,
          fields: new Map([['token', new Secret(`of-${name}`)]]),
        });
      };
      await egress.put(
        {
          name,
          default: 'Deny',
          allow: ports.map((port) => ({ host: '127.0.0.1', port })),
          credentials: [credential('api')],
          ownProcesses: false,
        },
        world.outsideCa,
        {
          lend,
          replace: () => Promise.reject(new Error('There is no other.')),
          whoseCall: { ownerOf: () => ({ whose: 'pod', call: undefined }), onChange: () => () => undefined },
          record: (event) => events.push({ ...event, gateway: name }),
          now: Date.now,
        },
      );
    }
  }

  /** What the file for the servers of a gateway says. */
  async function environment(gateway: 'one' | 'two'): Promise<{ proxy: URL; placeholder: string }> {
    const text = await readFile(join(world.directory, 'environment', `default_${gateway}.env`), 'utf8');
    const value = (name: string): string => new RegExp(`^export ${name}='(.*)'$`, 'm').exec(text)?.[1] ?? '';
    return { proxy: new URL(value('HTTPS_PROXY')), placeholder: value('API_TOKEN') };
  }

  async function get(proxy: URL, placeholder: string, proof = true): Promise<[number, string]> {
    const basic = Buffer.from(`${proxy.username}:${proxy.password}`).toString('base64');
    const headers = proof ? { 'proxy-authorization': `Basic ${basic}` } : {};
    const tunnel = await tunnelTo({ port: Number(proxy.port) }, `${API}:443`, headers);
    if (tunnel.status !== 200) return [tunnel.status, ''];
    const ca = await readFile(join(world.directory, 'environment', 'ca.pem'));
    const secure = connectTls({ socket: tunnel.socket, servername: API, ca });
    await once(secure, 'secureConnect');
    const { status, body } = await ask(secure, API, { headers: { authorization: `Bearer ${placeholder}` } });
    return [status, body];
  }

  test('each get their own credential by the proof of their environment, and none by another one’s', async () => {
    const { seen, port } = await upstream();
    await open([port]);
    const [one, two] = [await environment('one'), await environment('two')];
    expect(one.proxy.port).toBe(two.proxy.port);
    expect(one.placeholder).not.toBe(two.placeholder);
    for (const [name, { proxy, placeholder }] of Object.entries({ one, two })) {
      expect(await get(proxy, placeholder)).toEqual([200, 'ok']);
      expect(seen.at(-1)?.authorization).toBe(`Bearer of-default/${name}`);
    }
    expect(seen[0]?.port).not.toBe(seen[1]?.port);

    // A placeholder of the other one is worth nothing here, and nobody without a proof is anybody.
    const [status, why] = await get(one.proxy, two.placeholder);
    expect(status).toBe(403);
    expect(why).toContain('placeholder');
    expect(await get(one.proxy, one.placeholder, false)).toEqual([407, '']);
    expect(seen).toHaveLength(2);
    expect(events.map(({ gateway, decision }) => [gateway, decision])).toEqual([
      ['default/one', 'allow'],
      ['default/two', 'allow'],
      ['default/one', 'deny'],
    ]);

    // One that is gone takes nobody along, and its proof is worth nothing.
    egress.remove('default/two');
    expect(await get(two.proxy, two.placeholder)).toEqual([407, '']);
    expect(await get(one.proxy, one.placeholder)).toEqual([200, 'ok']);
  });
});
