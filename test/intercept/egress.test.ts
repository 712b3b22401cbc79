/**
 * Calls of a server out of its pod, in real network namespaces: nobody told the server of a proxy, and the credential is
 * put in all the same. Ways around are tried twice: in a pod without rules, where they must work, and in the guarded one.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startNode, type Child } from '../fixtures/child.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import type { Call, CallOutcome } from './caller.ts';
import {
  gateway,
  INWARD,
  LIAR,
  NAMES,
  OUTSIDE,
  SERVER_PORT,
  SIDECAR,
  startGuardedPod,
} from './guarded-pod.ts';
import type { GuardedPod } from './guarded-pod.ts';
import type { Seen } from './outside.ts';
import { cannotMakeNetworks, POD, WORLD, type Who } from './pod-network.ts';

const SERVER = 1000;
const NET_INIT = [
  ...['--server-port', String(SERVER_PORT), '--container-uids', `${SERVER},2000`],
  ...['--outbound-port', '15001', '--dns', WORLD.v4],
];
const OURS = 'Gatehouse egress of this pod';
const DENIED = 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED';
const { api, six, other, denied, stranger } = NAMES;

const requestsOf = (all: readonly Seen[]): readonly unknown[] =>
  all.flatMap(({ server, request }) => (request === undefined ? [] : [{ server, ...request }]));
const to = (name: string, more: Partial<Call> = {}): Call => ({
  to: name,
  serverName: name,
  host: name,
  ...more,
});

describeUnless(cannotMakeNetworks(), 'calls out of a pod', () => {
  let naive: GuardedPod;
  let pod: GuardedPod;
  let app: Who;
  let naiveApp: Who;

  beforeAll(async () => {
    naive = await startGuardedPod(undefined);
    pod = await startGuardedPod(NET_INIT);
    app = { place: 'pod', uid: SERVER, files: await pod.container(WORLD.v4) };
    naiveApp = { ...app, files: await naive.container(WORLD.v4) };
  }, 120_000);
  afterAll(async () => {
    await pod[Symbol.asyncDispose]();
    await naive[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await pod.seen();
    await naive.seen();
  });

  const arrived = async (): Promise<readonly unknown[]> => requestsOf(await pod.seen());
  const withSecret = (): string => `Bearer ${pod.secret}`;

  describe('with a credential', () => {
    const CLIENTS: readonly (readonly [
      string,
      (url: string, token: string, ca: string) => readonly string[],
    ])[] = [
      [
        'curl',
        (url, token, ca) => ['curl', '-sS', '--cacert', ca, '-H', `authorization: Bearer ${token}`, url],
      ],
      [
        'Node',
        (url, token) => [
          ...[process.execPath, '--input-type=module', '--eval'],
          `const answer = await fetch('${url}', { headers: { authorization: 'Bearer ${token}' } }); console.log(await answer.text());`,
        ],
      ],
      [
        'Python',
        (url, token, ca) => [
          ...['/usr/bin/python3', '-c'],
          `import ssl, urllib.request as u; print(u.urlopen(u.Request('${url}', headers={'authorization': 'Bearer ${token}'}), context=ssl.create_default_context(cafile='${ca}')).read().decode())`,
        ],
      ],
    ];

    test.each(CLIENTS)('%s, which was told of no proxy, gets through with it', async (_, command) => {
      for (const [host, server] of [
        [api, 'true'],
        [six, 'six'],
      ] as const) {
        const args = command(`https://${host}/user`, pod.placeholder, pod.trust.pod);
        const said = await pod.network.outputOf(app, args, { NODE_EXTRA_CA_CERTS: pod.trust.pod });
        expect(said).toMatch(new RegExp(`^${server} heard Bearer \\*+$`));
        expect(await arrived()).toMatchObject([{ server, path: '/user', host, authorization: withSecret() }]);
      }
    });

    test('HTTP/2 is spoken on both sides', async () => {
      const outcome = await pod.call(app, to(api, { http2: true, token: pod.placeholder }));
      expect(outcome).toMatchObject({ status: 200, issuer: OURS });
      expect(await arrived()).toMatchObject([
        { server: 'true', version: '2.0', authorization: withSecret() },
      ]);
    });

    test('a call without the placeholder goes without the secret', async () => {
      expect(await pod.call(app, to(api, { token: 'mine' }))).toMatchObject({ status: 200 });
      expect(await arrived()).toMatchObject([{ server: 'true', authorization: 'Bearer mine' }]);
    });

    test('an upstream that cannot show who it is gets nothing', async () => {
      expect(await pod.call(app, to(stranger, { token: pod.placeholder }))).toMatchObject({ status: 502 });
      expect(await arrived()).toEqual([]);
      // Without a sidecar it would have had the token: the client looked at no certificate.
      expect(await naive.call(naiveApp, to(stranger, { token: 'key' }))).toMatchObject({ status: 200 });
    });

    test('a caller of the server outside of the pod has it called, and neither of them sees the secret', async () => {
      const program = join(import.meta.dirname, '../fixtures/calling-server.ts');
      await using server: Child = startNode([program], {
        prefix: pod.network.prefix(app),
        env: { PORT: String(SERVER_PORT), API_TOKEN: pod.placeholder, NODE_EXTRA_CA_CERTS: pod.trust.pod },
      });
      await server.printed(/listens/);
      const said = await pod.network.outputOf({ place: 'world', uid: 1000 }, [
        ...['curl', '-sS', `http://${POD.v4}:${SERVER_PORT}/mcp`, '-H', 'content-type: application/json'],
        ...['-H', 'accept: application/json, text/event-stream', '-H', 'mcp-protocol-version: 2026-07-28'],
        ...[
          '-H',
          'mcp-method: tools/call',
          '-H',
          'mcp-name: call',
          '--data',
          callMessage(`https://${api}/mcp`),
        ],
      ]);
      expect(await arrived()).toMatchObject([{ path: '/mcp', authorization: withSecret() }]);
      expect(said).toMatch(/200 true heard Bearer \*+/);
      expect(`${said}${server.output()}`).not.toContain(pod.secret);
    });
  });

  describe('without one', () => {
    test('an allowed host is spoken to end to end', async () => {
      const outcome = await pod.call(app, to(other, { token: pod.placeholder }));
      expect(outcome).toMatchObject({ status: 200, issuer: OUTSIDE });
      expect(await arrived()).toMatchObject([{ host: other, authorization: `Bearer ${pod.placeholder}` }]);
    });

    test('a host that nobody allowed is not reached at all', async () => {
      expect(await pod.call(app, to(denied))).toEqual({ error: DENIED });
      expect(await pod.seen()).toEqual([]);
      expect(await naive.call(naiveApp, to(denied))).toMatchObject({ status: 200, issuer: OUTSIDE });
    });

    test.each(Object.entries(INWARD))('%s, which leads to %s, is not followed', async (name) => {
      const outcome = await pod.call(app, to(name, { token: pod.placeholder, to: WORLD.v4 }));
      // One of them is a host of the credential, whose TLS ends at the sidecar.
      if ('error' in outcome) expect(outcome.error).toBe(DENIED);
      else
        expect(outcome).toMatchObject({ status: 403, body: expect.stringContaining('leads to') as string });
      expect(await pod.seen()).toEqual([]);
    });
  });

  describe('lies', () => {
    test.each<[string, () => Partial<Call>]>([
      ['Host is another than TLS asked for', () => ({ host: other })],
      ['Host is a metadata service', () => ({ host: '169.254.169.254' })],
      [':authority is another than TLS asked for', () => ({ host: other, http2: true })],
      ['Host names another port', () => ({ host: `${api}:8443` })],
    ])('refused: %s', async (_, lie) => {
      expect(await pod.call(app, to(api, { token: pod.placeholder, ...lie() }))).toMatchObject({
        status: 421,
      });
      expect(await arrived()).toEqual([]);
    });

    test('TLS for an allowed host carries the placeholder and never the secret, whatever Host says', async () => {
      await pod.call(app, to(other, { host: api, token: pod.placeholder }));
      expect(await arrived()).toMatchObject([{ host: api, authorization: `Bearer ${pod.placeholder}` }]);
    });

    test("an address of the client's own choice changes nothing: the name is what counts", async () => {
      const hosts = `${LIAR} ${api}`;
      const misled: Who = { ...app, files: await pod.container(WORLD.v4, hosts) };
      expect(await pod.call(misled, to(api, { token: pod.placeholder }))).toMatchObject({ status: 200 });
      expect(await arrived()).toMatchObject([{ server: 'true', authorization: withSecret() }]);
      const naively: Who = { ...app, files: await naive.container(WORLD.v4, hosts) };
      await naive.call(naively, to(api, { token: 'key' }));
      expect(requestsOf(await naive.seen())).toMatchObject([{ server: 'liar', authorization: 'Bearer key' }]);
    });

    test("a resolver of the container's own choice is not asked", async () => {
      const misled: Who = { ...app, files: await pod.container(LIAR) };
      expect(await pod.call(misled, to(api, { token: pod.placeholder }))).toEqual({
        error: expect.stringMatching(/^(?:EAI_AGAIN|ENOTFOUND)$/) as string,
      });
      expect(await pod.seen()).toEqual([]);
      const naively: Who = { ...app, files: await naive.container(LIAR) };
      await naive.call(naively, to(api, { token: 'key' }));
      expect(requestsOf(await naive.seen())).toMatchObject([{ server: 'liar' }]);
    });
  });

  describe('ways around', () => {
    const WAYS: readonly (readonly [string, Partial<Call>, CallOutcome | object])[] = [
      // Which port was meant is lost on the way; the name is served on its own.
      ['another port of a host with a credential', { port: 8443 }, { status: 200, issuer: OURS }],
      ['another port of a host that nobody allowed', { ...to(denied), port: 8443 }, { error: DENIED }],
      ['an address instead of a name', { to: WORLD.v4, serverName: undefined }, { error: 'ECONNRESET' }],
      ['an IPv6 address instead of a name', { to: WORLD.v6, serverName: undefined }, { error: 'ECONNRESET' }],
    ];
    test.each(WAYS)('%s', async (_, call, guarded) => {
      const given = { ...to(api), ...call };
      expect(await naive.call(naiveApp, given)).toMatchObject({ status: 200, issuer: OUTSIDE });
      expect(await pod.call(app, given)).toMatchObject(guarded);
      expect((await pod.seen()).filter(({ server }) => server !== 'true')).toEqual([]);
    });

    const PORT = 9100;
    const SOCKETS: readonly (readonly [string, Partial<Who>, string])[] = [
      ['the server', {}, `tcp ${WORLD.v4} ${PORT}`],
      ['the server, IPv6', {}, `tcp ${WORLD.v6} ${PORT}`],
      ['another container', { uid: 2000 }, `tcp ${WORLD.v4} ${PORT}`],
      ['an ephemeral container', { uid: 3000 }, `tcp ${WORLD.v6} ${PORT}`],
      ['root', { uid: 0 }, `tcp ${WORLD.v4} ${PORT}`],
      ['somebody who calls himself the sidecar', { claimedUid: SIDECAR }, `tcp ${WORLD.v4} ${PORT}`],
      ['Multipath TCP', {}, `mptcp ${WORLD.v4} ${PORT}`],
      ['fast open', {}, `tcp ${WORLD.v4} ${PORT} fastopen=1`],
      ["the sidecar's port as one's own", {}, `tcp ${WORLD.v4} ${PORT} source=15021`],
      ['bound to eth0', {}, `tcp ${WORLD.v4} ${PORT} device=eth0`],
      ['UDP', {}, `udp ${WORLD.v4} ${PORT}`],
      ['QUIC', {}, `udp ${WORLD.v4} 443`],
      ['QUIC over IPv6', {}, `udp ${WORLD.v6} 443`],
      ["another port of the resolver's machine", {}, `udp ${WORLD.v4} 5353`],
    ];
    beforeAll(async () => {
      const listens = [`tcp,::,${PORT}`, ...[PORT, 443, 5353].map((port) => `udp,::,${port}`)];
      for (const { network } of [naive, pod])
        await network.serve({ place: 'world', uid: 0, capabilities: ['net_bind_service'] }, 'world', listens);
    });
    test.each(SOCKETS)('sockets: %s', async (_, who, args) => {
      const bare: Who = { place: 'pod', uid: SERVER, ...who };
      expect(await naive.network.attempt(bare, args.split(' '))).toMatch(/^answered world:/);
      // The sidecar takes it for a broken HTTP request, and says so or hangs up.
      expect(await pod.network.attempt(bare, args.split(' '))).toMatch(
        /^(?:answered HTTP\/1\.1 400 Bad Request[^]*|silence|refused EPERM)$/,
      );
    });

    test('the sidecar itself goes out', async () => {
      const who: Who = { place: 'pod', uid: SIDECAR };
      expect(await pod.network.attempt(who, ['tcp', WORLD.v4, String(PORT)])).toBe(`answered world:${PORT}`);
    });
  });

  describe('with default: Allow', () => {
    test('hosts that nobody named pass untouched', async () => {
      await writeFile(join(pod.directory, 'gateway.yaml'), stringify(gateway('Allow')));
      await expect
        .poll(() => pod.call(app, to(denied)), { timeout: 20_000 })
        .toMatchObject({ status: 200, issuer: OUTSIDE });
      expect(await arrived()).toMatchObject([{ host: denied }]);
    });

    test('what names no host is refused all the same', async () => {
      const nameless = { to: WORLD.v4, host: api };
      expect(await pod.call(app, nameless)).toEqual({ error: 'ECONNRESET' });
      expect(await pod.seen()).toEqual([]);
    });

    test.each(Object.keys(INWARD))('%s is not followed', async (name) => {
      const outcome = await pod.call(app, to(name, { to: WORLD.v4 }));
      expect('error' in outcome ? outcome.error : outcome.status).toBeOneOf([DENIED, 403]);
      expect(await pod.seen()).toEqual([]);
    });
  });
});

function callMessage(url: string): string {
  const meta = 'io.modelcontextprotocol';
  const _meta = {
    [`${meta}/protocolVersion`]: '2026-07-28',
    [`${meta}/clientInfo`]: { name: 'by-hand', version: '1.0.0' },
    [`${meta}/clientCapabilities`]: {},
  };
  const params = { name: 'call', arguments: { url }, _meta };
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
}
