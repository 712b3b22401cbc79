import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ruleset, type Family } from './ruleset.ts';
import { InterceptionSpecError, OPTION_OF, parseSpec, type InterceptionInput } from './spec.ts';

const goldens = join(import.meta.dirname, '../../test/goldens/intercept');

const cases: Record<string, { input: InterceptionInput; family?: Family }> = {
  'least.nft': { input: { serverPorts: [8080], dns: ['10.96.0.10'] } },
  'ipv4-only.nft': { input: { serverPorts: [8080], dns: ['10.96.0.10', 'fd00::a'] }, family: 'ip' },
  'everything.nft': {
    input: {
      proxyPort: 25_000,
      metricsPort: 25_020,
      healthPort: 25_021,
      outboundPort: 25_001,
      localPorts: [6543, 5432],
      localUid: 1000,
      uid: 70_000,
      serverPorts: [9090, 8080, 8080],
      openPorts: [9000, 443],
      containerUids: [1000, 0],
      dns: ['fd00::a', '169.254.20.10', '10.96.0.10'],
    },
  },
};

test.each(Object.entries(cases))('%s', async (name, { input, family = 'inet' }) => {
  await expect(ruleset(parseSpec(input), family)).toMatchFileSnapshot(join(goldens, name));
});

test('the order and repetition of ports, users and addresses change nothing', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1, max: 14_999 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(ports, (numbers) => {
      const [first = 1, ...open] = numbers;
      const made = (openPorts: number[]): string =>
        ruleset(parseSpec({ serverPorts: [first], openPorts, dns: ['10.0.0.1'] }), 'inet');
      expect(made([...open].reverse())).toBe(made(open));
      expect(made([...open, ...open])).toBe(made(open));
    }),
  );
});

test.each<[string, Partial<InterceptionInput>, string]>([
  ['no server port', { serverPorts: [] }, '--server-port must name ports from 1 to 65535'],
  ['a port out of range', { serverPorts: [65_536] }, '--server-port must name ports'],
  ['no number', { openPorts: [Number.NaN] }, '--open-ports must name ports'],
  ['no resolver', { dns: [] }, '--dns must name IP addresses'],
  ['a name as resolver', { dns: ['dns.local'] }, '"dns.local" is none'],
  ['more than an address', { dns: ['10.0.0.1 accept\n'] }, '"10.0.0.1 accept?" is none'],
  ['a network as resolver', { dns: ['10.0.0.0/8'] }, '"10.0.0.0/8" is none'],
  ['root as sidecar', { uid: 0 }, '--uid must name a user by number, and not 0'],
  ['no user', { containerUids: [4_294_967_295] }, '--container-uids must name users by number'],
  ['the sidecar as container', { containerUids: [64_311] }, "User 64311 is the sidecar's"],
  ["the server's port open", { openPorts: [8080] }, "Port 8080 is the server's"],
  ["the server on the sidecar's port", { serverPorts: [15_021] }, 'Port 15021 belongs to the sidecar'],
  ['the way out open', { outboundPort: 9, openPorts: [9] }, 'Port 9 is for calls from inside the pod'],
  [
    "the server's port for the sidecar",
    { localPorts: [8080], localUid: 1 },
    'Port 8080 is for connections of',
  ],
  [
    'an open port for the server',
    { localPorts: [9], openPorts: [9], localUid: 1 },
    'Port 9 is for connections',
  ],
  [
    "the sidecar's port for the server",
    { localPorts: [15_020], localUid: 1 },
    'Port 15020 is for connections',
  ],
  ['local ports of nobody', { localPorts: [5432] }, 'name that user with --local-uid'],
  ['local ports of the sidecar', { localPorts: [5432], localUid: 64_311 }, "User 64311 is the sidecar's"],
  ['no user of local ports', { localPorts: [5432], localUid: 4_294_967_295 }, '--local-uid must name a user'],
  ['one port for two things', { metricsPort: 15_000 }, "Two of the sidecar's ports are the same"],
])('refused: %s', (_, wrong, sentence) => {
  const input = { serverPorts: [8080], dns: ['10.96.0.10'], ...wrong };
  expect(() => parseSpec(input)).toThrow(InterceptionSpecError);
  expect(() => parseSpec(input)).toThrow(sentence);
});

test('an address with a zone, which no rule can hold, is refused', () => {
  expect(() => parseSpec({ serverPorts: [1], dns: ['fe80::1%eth0'] })).toThrow(`--${OPTION_OF.dns}`);
});
