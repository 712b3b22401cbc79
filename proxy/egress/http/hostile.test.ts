import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  ask,
  ask2,
  openHttp2,
  openPlain,
  openTls,
  redirectedTls,
  saysUntilClosed,
  tunnelTo,
} from '../../../test/fixtures/egress-client.ts';
import {
  EgressWorld,
  freshPlaceholder,
  type EgressWorldOptions,
} from '../../../test/fixtures/egress-world.ts';
import { GatehouseError } from '../../../lib/errors.ts';
import type { OutboundCredential } from './credential.ts';

const API = 'api.example.test';
const OTHER = 'other.example.test';
const PLAIN = 'plain.example.test';
const placeholder = freshPlaceholder();
const github: OutboundCredential = {
  name: 'github',
  whenShared: 'Refuse',
  hosts: [{ host: API, port: 443 }],
  header: { name: 'Authorization', value: 'Bearer {{ token }}' },
  placeholder,
};
const other: OutboundCredential = {
  ...github,
  name: 'other',
  hosts: [{ host: OTHER, port: 443 }],
  placeholder: freshPlaceholder(),
};
const carrying = { authorization: `Bearer ${placeholder.value}` };

let world: EgressWorld;
let reached: string[];
beforeEach(async () => {
  world = await EgressWorld.create();
  reached = [];
  const note = (name: string) => async () =>
    world.upstream([name], {
      onRequest: (request, response) => {
        reached.push(
          `${name} ${request.headers.host ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`,
        );
        response.end(name);
      },
      onStream: (stream, headers) => {
        reached.push(`${name} ${headers[':authority'] ?? ''} ${headers[':path'] ?? ''}`);
        stream.respond({ ':status': 200 });
        stream.end(name);
      },
    });
  await note(API)();
  await note(OTHER)();
  const plain = createServer((request, response) => {
    reached.push(
      `${PLAIN} ${request.headers.host ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`,
    );
    response.end(PLAIN);
  });
  await world.place([PLAIN], plain);
});
afterEach(() => world[Symbol.asyncDispose]());

const start = (options: EgressWorldOptions = {}): Promise<void> =>
  world.start({
    credentials: [github, other],
    allow: [
      { host: PLAIN, port: 80 },
      { host: PLAIN, port: 443 },
    ],
    ...options,
  });
const refusals = (): string[] =>
  world.records.filter(({ decision }) => decision === 'deny').map(({ reason }) => reason ?? '');
const secret = (): string => world.secretOf('github', 'pod');

/** Sends text to the egress and returns all that it says. */
async function raw(text: string): Promise<string> {
  const socket = await openPlain(world);
  const said = saysUntilClosed(socket);
  socket.write(text);
  return said;
}

test('a host that nobody allowed is refused with a sentence, and recorded', async () => {
  await start();
  const { status, socket } = await tunnelTo(world, 'elsewhere.example.test:443');
  expect(status).toBe(403);
  expect(await saysUntilClosed(socket)).toBe('');
  const said = await raw(
    'CONNECT elsewhere.example.test:443 HTTP/1.1\r\nHost: elsewhere.example.test:443\r\n\r\n',
  );
  expect(said).toContain(
    'McpGateway default/orders does not allow its server to call elsewhere.example.test:443',
  );
  expect(refusals()).toHaveLength(2);
});

test('a host is allowed by port, and a name below a suffix is not the suffix', async () => {
  world.lead('a.b.example.test', [{ address: '127.0.0.1', port: 1 }]);
  await start({ allow: [{ host: '*.b.example.test', port: 443 }] });
  expect((await tunnelTo(world, 'b.example.test:443')).status).toBe(403);
  expect((await tunnelTo(world, 'evilb.example.test:443')).status).toBe(403);
  expect((await tunnelTo(world, 'a.b.example.test:8443')).status).toBe(403);
  // Allowed by its name, and then refused for where that leads.
  expect((await tunnelTo(world, 'a.b.example.test:443')).status).toBe(403);
  expect(refusals().at(-1)).toContain('leads to 127.0.0.1');
});

test('a Host that is not the name that TLS was opened for is misdirected', async () => {
  await start();
  for (const host of [OTHER, `${API}:8443`, 'localhost', '127.0.0.1', `${API}.evil.test`]) {
    const answer = await ask(await openTls(world, API), host, { headers: carrying });
    expect([host, answer.status]).toEqual([host, 421]);
  }
  expect(reached).toEqual([]);
});

test('no Host, two of them, and an absolute target with another one are refused', async () => {
  await start();
  const inside = async (text: string): Promise<string> => {
    const socket = await openTls(world, API);
    const said = saysUntilClosed(socket);
    socket.write(text);
    return (await said).split('\r\n')[0] ?? '';
  };
  expect(await inside('GET / HTTP/1.1\r\n\r\n')).toContain('400');
  expect(await inside('GET / HTTP/1.0\r\n\r\n')).toContain('400');
  expect(await inside(`GET / HTTP/1.1\r\nHost: ${API}\r\nHost: ${OTHER}\r\n\r\n`)).toContain('400');
  expect(await inside(`GET https://${OTHER}/ HTTP/1.1\r\nHost: ${API}\r\n\r\n`)).toContain('421');
  expect(await inside(`GET https://${API}/ HTTP/1.1\r\nHost: ${OTHER}\r\n\r\n`)).toContain('421');
  expect(await inside(`GET //${OTHER}/ HTTP/1.1\r\nHost: ${OTHER}\r\n\r\n`)).toContain('421');
  expect(await inside(`CONNECT ${OTHER}:443 HTTP/1.1\r\nHost: ${OTHER}\r\n\r\n`)).toBe('');
  expect(reached).toEqual([]);
});

test('TLS inside of CONNECT that asks for another host is ended with an alert', async () => {
  await start();
  await expect(openTls(world, API, ['http/1.1'], OTHER)).rejects.toThrow(/access denied|alert/);
  expect(refusals().join()).toContain(`CONNECT names ${API}:443, and the TLS inside of it ${OTHER}`);
  await expect(openTls(world, PLAIN, ['http/1.1'], API)).rejects.toThrow();
  await vi.waitFor(() => expect(refusals().join()).toContain('asks for another host'));
  expect(reached).toEqual([]);
});

test('a client of HTTP/2 cannot use a connection for another host, in whatever header it says so', async () => {
  await start();
  const session = await openHttp2(world, API);
  const attempts = [
    { ':authority': OTHER },
    { ':authority': API, host: OTHER },
    { ':authority': `${API}:8443` },
    { ':authority': API, ':scheme': 'http' },
  ];
  for (const headers of attempts)
    expect((await ask2(session, { ':path': '/', ...headers, ...carrying })).status).toBe(421);
  expect((await ask2(session, { ':path': '/', ':authority': API })).status).toBe(200);
  expect(reached).toEqual([`${API} ${API} /`]);
  session.close();
});

test('a placeholder towards a host that it is not for is refused and recorded, wherever it stands', async () => {
  await start();
  const misuse: Record<string, string>[] = [
    carrying,
    { 'x-other': `a ${placeholder.value} b` },
    { authorization: `Basic ${Buffer.from(`u:${placeholder.value}`).toString('base64')}` },
  ];
  for (const headers of misuse)
    expect((await ask(await openTls(world, OTHER), OTHER, { headers })).status).toBe(403);
  expect((await ask(await openTls(world, OTHER), OTHER, { path: `/?a=${placeholder.value}` })).status).toBe(
    403,
  );
  expect((await ask(await openPlain(world), PLAIN, { headers: carrying })).status).toBe(403);
  expect(refusals()).toHaveLength(5);
  expect(reached).toEqual([]);
});

test('plain HTTP goes where it is allowed, never with a credential', async () => {
  await start();
  expect((await ask(await openPlain(world), PLAIN, { path: '/a' })).body).toBe(PLAIN);
  expect(
    await raw(`GET http://${PLAIN}/b HTTP/1.1\r\nHost: ${PLAIN}\r\nConnection: close\r\n\r\n`),
  ).toContain('200 OK');
  expect(await raw(`GET http://${PLAIN}/c HTTP/1.1\r\nHost: ${API}\r\n\r\n`)).toContain('421');
  expect(await raw(`GET http://${API}/ HTTP/1.1\r\nHost: ${API}\r\n\r\n`)).toContain('403');
  expect(await raw(`GET http://${API}:443/ HTTP/1.1\r\nHost: ${API}:443\r\n\r\n`)).toContain(
    'call it by https://',
  );
  expect(reached).toEqual([`${PLAIN} ${PLAIN} /a `, `${PLAIN} ${PLAIN} /b `]);
});

test('an absolute https target is served over verified TLS, as some clients ask their proxy to', async () => {
  await start();
  const said = await raw(
    `GET https://${API}/x HTTP/1.1\r\nHost: ${API}\r\nAuthorization: Bearer ${placeholder.value}\r\nConnection: close\r\n\r\n`,
  );
  expect(said).toContain('200 OK');
  expect(reached).toEqual([`${API} ${API} /x Bearer ${secret()}`]);
});

test('redirected connections go by the name that they ask for', async () => {
  await start();
  const secure = await redirectedTls(world, API, world.authority.cert);
  expect((await ask(secure, API, { headers: carrying })).body).toBe(API);
  const through = await redirectedTls(world, PLAIN, world.outsideCa).catch((error: unknown) => error);
  // The plain server there speaks no TLS; it was reached, and nothing else was.
  expect(through).toBeInstanceOf(Error);
  await expect(redirectedTls(world, 'elsewhere.example.test', world.authority.cert)).rejects.toThrow();
  expect(refusals().join()).toContain('elsewhere.example.test:443');
});

test('TLS without a name is refused: nobody can say where it goes', async () => {
  await start({ default: 'Allow' });
  const secure = connectTls({ host: '127.0.0.1', port: world.port, rejectUnauthorized: false });
  await expect(once(secure, 'secureConnect')).rejects.toThrow();
  expect(refusals().join()).toContain('names no host');
});

test('a name that leads to this machine, to a metadata service or to the installation is not followed', async () => {
  const places = [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '0.0.0.0',
    '169.254.169.254',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    'fe80::1',
  ];
  places.forEach((address, index) => world.lead(`evil${index}.example.test`, [{ address, port: 9 }]));
  const victim = createServer((_request, response) => response.end('inside'));
  await world.place(['operator.example.test'], victim);
  await start({ default: 'Allow', reserved: [{ host: 'operator.example.test', port: 443 }] });
  for (const index of places.keys())
    expect((await tunnelTo(world, `evil${index}.example.test:443`)).status, places[index]).toBe(403);
  expect((await tunnelTo(world, 'operator.example.test:443')).status).toBe(403);
  expect(refusals()).toHaveLength(places.length + 1);
});

test('an address can be allowed by itself, and only with its port', async () => {
  const inside = createServer((_request, response) => response.end('inside'));
  const port = await world.place([], inside);
  await start({ allow: [{ host: '127.0.0.1', port }] });
  expect((await ask(await openPlain(world), `127.0.0.1:${port}`)).body).toBe('inside');
  expect((await ask(await openPlain(world), `127.0.0.1:${world.port}`)).status).toBe(403);
  // Ways to write the same address that are none.
  for (const host of ['127.1', '2130706433', '0x7f000001', '0177.0.0.1'])
    expect((await ask(await openPlain(world), `${host}:${port}`)).status, host).not.toBe(200);
});

test('a call whose owner is not certain is refused with the sentence that says so', async () => {
  class OwnerUnknown extends GatehouseError {
    readonly code = 'owner_ambiguous';
  }
  const whoseCall = {
    ownerOf: () => {
      throw new OwnerUnknown('Two sessions have calls in flight.');
    },
    onChange: () => () => undefined,
  };
  await start({ deps: { whoseCall } });
  const answer = await ask(await openTls(world, API), API, { headers: carrying });
  expect([answer.status, answer.body]).toEqual([409, 'Two sessions have calls in flight.\n']);
  expect(reached).toEqual([]);
});

test('a process that must prove itself is known by its token, and nobody comes without one', async () => {
  await start({ ownProcesses: true });
  expect((await tunnelTo(world, `${API}:443`)).status).toBe(407);
  world.tokens.set('t0ken', { gateway: 'default/orders', ofSession: true });
  const basic = (token: string) => ({
    'proxy-authorization': `Basic ${Buffer.from(`child:${token}`).toString('base64')}`,
  });
  expect((await tunnelTo(world, `${API}:443`, basic('wrong'))).status).toBe(407);
  expect((await tunnelTo(world, `${API}:443`, basic('t0ken'))).status).toBe(200);
});

test('what is no TLS and no HTTP, or too much of it, ends that connection and nothing else', async () => {
  await start();
  expect(await raw('\u0000\u0000\u0000\u0008\u0004\u00d2\u0016/')).toMatch(/^(?:HTTP\/1.1 400|$)/);
  expect(await raw(`GET / HTTP/1.1\r\nHost: ${PLAIN}\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`)).toContain('431');
  expect(await raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toMatch(/400|^$/);
  const garbage = [
    Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 9]),
    Buffer.from([22, 3, 1, 255, 255]),
    Buffer.alloc(100, 22),
  ];
  for (const bytes of garbage) {
    const socket = await openPlain(world);
    const said = saysUntilClosed(socket);
    socket.write(bytes);
    socket.end();
    await said;
  }
  // TLS garbage after the tunnel was opened.
  const { socket } = await tunnelTo(world, `${API}:443`);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await saysUntilClosed(socket);
  expect((await ask(await openTls(world, API), API)).body).toBe(API);
});

test('huge headers over HTTP/2 end the stream and not the process', async () => {
  await start();
  const session = await openHttp2(world, API);
  await expect(ask2(session, { ':path': '/', 'x-big': 'a'.repeat(100_000) })).rejects.toThrow();
  expect((await ask(await openTls(world, API), API)).body).toBe(API);
  session.destroy();
});

test('a client that is silent, or drips its headers, is not waited for', async () => {
  await start({ limits: { handshakeMs: 200, headersMs: 400 } });
  const silent = await openPlain(world);
  await saysUntilClosed(silent);
  const half = connectTcp({ host: '127.0.0.1', port: world.port });
  half.write(Buffer.from([22, 3, 1, 2, 0, 1]));
  await saysUntilClosed(half);
  const slow = await openPlain(world);
  const drip = setInterval(() => slow.write('x'), 50);
  slow.write(`GET / HTTP/1.1\r\nHost: ${PLAIN}\r\nX-`);
  expect(await saysUntilClosed(slow)).toMatch(/408|^$/);
  clearInterval(drip);
  const inside = await openTls(world, API);
  const dripInside = setInterval(() => inside.write('x'), 50);
  inside.write('GET / HTTP/1.1\r\nX-');
  expect(await saysUntilClosed(inside)).toMatch(/408|^$/);
  clearInterval(dripInside);
});

test('clients that go away at any moment leave nothing behind', async () => {
  await start();
  for (let round = 0; round < 20; round += 1) {
    const socket = await openTls(world, API);
    socket.write(`GET / HTTP/1.1\r\nHost: ${API}\r\nAuthorization: Bearer ${placeholder.value}\r\n`);
    if (round % 2 === 0) socket.write('\r\n');
    socket.destroy();
    const session = connectHttp2(`https://${API}`, { createConnection: () => socket });
    session.on('error', () => undefined);
  }
  expect((await ask(await openTls(world, API), API)).body).toBe(API);
});

test('an upstream with a certificate of another name, or of nobody, is not talked to', async () => {
  await world.upstream(['imposter.example.test'], { onRequest: (_request, response) => response.end() }, [
    API,
  ]);
  await start({ credentials: [{ ...github, hosts: [{ host: 'imposter.example.test', port: 443 }] }] });
  const answer = await ask(await openTls(world, 'imposter.example.test'), 'imposter.example.test', {
    headers: carrying,
  });
  expect(answer.status).toBe(502);
  expect(answer.body).toContain('could not be reached');
});
