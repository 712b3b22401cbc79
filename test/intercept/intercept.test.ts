/**
 * Ways around the sidecar that a network namespace has, each tried twice: against a sidecar without network rules,
 * where it must work (or the attempt proves nothing), and with the rules of `gatehouse net-init`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cannotMakeNetworks, POD, PodNetwork, WORLD, type Who } from './pod-network.ts';

const reason = cannotMakeNetworks();

const SERVER = 1000;
const OTHER = 2000;
/** A user that no container of the pod states: an ephemeral container's. */
const FOREIGN = 3000;
const SIDECAR = 64_311;

const client: Who = { place: 'world', uid: 1000 };
const server: Who = { place: 'pod', uid: SERVER };
const otherContainer: Who = { place: 'pod', uid: OTHER };
const ephemeral: Who = { place: 'pod', uid: FOREIGN };
const sidecar: Who = { place: 'pod', uid: SIDECAR };
/** port-forward and the like: the runtime dials inside the pod, as root. */
const runtime: Who = { place: 'pod', uid: 0 };
const sidecarByName: Who = { ...otherContainer, claimedUid: SIDECAR };

const NET_INIT = [
  ...['--server-port', '8080', '--open-ports', '9000,15020,15021'],
  ...['--container-uids', `${SERVER},${OTHER}`, '--dns', `${WORLD.v4},${WORLD.v6}`],
];

const SERVER_LISTENS = [
  ...['tcp,::,8080', 'tcp,::,8081', 'tcp,::,9000', 'mptcp,::,8083'],
  ...['udp,::,8080', 'udplite,::,8080', 'sctp,::,8080'],
];
const SIDECAR_LISTENS = ['tcp,::,15000', 'tcp,::,15001', 'tcp,::,15020', 'tcp,::,15021'];
const WORLD_LISTENS = [443, 53, 5353].flatMap((port) => [
  `tcp,::,${port}`,
  `udp,::,${port}`,
  `udplite,::,${port}`,
  `sctp,::,${port}`,
]);

interface Attempt {
  readonly way: string;
  readonly who: Who;
  readonly args: string;
  readonly naive: string;
  readonly guarded: string | RegExp;
}

const NOT_IN_THIS_KERNEL = 'refused EPROTONOSUPPORT';
const TO_SIDECAR = 'answered sidecar:15000';
const DROPPED = /^(?:silence|refused EPERM)$/;
const reach = (port: number): string => `answered server:${port}`;

const fromOutside: readonly Attempt[] = [
  ...[POD.v4, POD.v6, POD.linkLocal].flatMap((address) => [
    attempt(`${address}, the server's port`, client, `tcp ${address} 8080`),
    attempt(`${address}, a second port`, client, `tcp ${address} 8081`, reach(8081)),
    attempt(`${address}, UDP`, client, `udp ${address} 8080`, reach(8080), DROPPED),
    attempt(`${address}, UDP-Lite`, client, `udplite ${address} 8080`, reach(8080), DROPPED),
    attempt(`${address}, SCTP`, client, `sctp ${address} 8080`, reach(8080), DROPPED),
  ]),
  attempt('Multipath TCP', client, `mptcp ${POD.v4} 8083`, reach(8083)),
  attempt('Multipath TCP over IPv6', client, `mptcp ${POD.v6} 8083`, reach(8083)),
  attempt('from a port that looks like an answer', client, `tcp ${POD.v4} 8080 source=15000`),
  attempt('TCP fast open', client, `tcp ${POD.v4} 8080 fastopen=1`),
  attempt('echo request', { ...client, uid: 0 }, `ping ${POD.v4} 0`, 'answered echo', DROPPED),
  attempt('echo request over IPv6', { ...client, uid: 0 }, `ping ${POD.v6} 0`, 'answered echo', DROPPED),
  attempt("the sidecar's port for calls outward", client, `tcp ${POD.v4} 15001`, 'answered sidecar:15001'),
];

const fromInside: readonly Attempt[] = [
  ...['127.0.0.1', '::1', '127.9.9.9', '::ffff:127.0.0.1', '0.0.0.0', '::', POD.v4, POD.v6].map((address) =>
    attempt(`another container, ${address}`, otherContainer, `tcp ${address} 8080`),
  ),
  // What is redirected leaves over loopback, which a socket bound to eth0 does not use.
  attempt(
    'another container, bound to eth0',
    otherContainer,
    `tcp ${POD.v4} 8080 device=eth0`,
    reach(8080),
    'silence',
  ),
  attempt('another container, bound to lo', otherContainer, `tcp 127.0.0.1 8080 device=lo`),
  attempt('another container, Multipath TCP', otherContainer, 'mptcp 127.0.0.1 8080'),
  attempt('another container, fast open', otherContainer, 'tcp 127.0.0.1 8080 fastopen=1'),
  attempt('another container, UDP', otherContainer, 'udp 127.0.0.1 8080', reach(8080), DROPPED),
  attempt('another container, UDP over IPv6', otherContainer, 'udp ::1 8080', reach(8080), DROPPED),
  attempt('another container, UDP to the pod', otherContainer, `udp ${POD.v4} 8080`, reach(8080), DROPPED),
  attempt('another container, UDP-Lite', otherContainer, 'udplite ::1 8080', reach(8080), DROPPED),
  attempt('another container, SCTP', otherContainer, 'sctp 127.0.0.1 8080', reach(8080), DROPPED),
  attempt('another container, claiming to be the sidecar', sidecarByName, 'tcp 127.0.0.1 8080'),
  attempt('exec into the server', server, 'tcp 127.0.0.1 8080'),
  attempt('port-forward', runtime, 'tcp 127.0.0.1 8080'),
  attempt('port-forward over IPv6', runtime, 'tcp ::1 8080'),
  attempt('port-forward to a second port', runtime, 'tcp 127.0.0.1 8081', reach(8081)),
  attempt('ephemeral container, a second port', ephemeral, 'tcp 127.0.0.1 8081', reach(8081)),
  attempt('ephemeral container, Multipath TCP', ephemeral, 'mptcp 127.0.0.1 8083', reach(8083)),
];

const outward: readonly Attempt[] = [
  ...[WORLD.v4, WORLD.v6].flatMap((address) => [
    attempt(`UDP to ${address}`, server, `udp ${address} 443`, 'answered world:443', DROPPED),
    attempt(`UDP-Lite to ${address}`, server, `udplite ${address} 443`, 'answered world:443', DROPPED),
    attempt(`SCTP to ${address}`, server, `sctp ${address} 443`, 'answered world:443', DROPPED),
    attempt(`a ping socket to ${address}`, server, `ping ${address} 0`, 'answered echo', DROPPED),
  ]),
  attempt(
    "the resolver's address, another port",
    server,
    `udp ${WORLD.v4} 5353`,
    'answered world:5353',
    DROPPED,
  ),
  attempt(
    'a raw protocol',
    { ...runtime, capabilities: ['net_raw'] },
    `raw ${WORLD.v4} 0`,
    'answered sent',
    DROPPED,
  ),
];

function attempt(
  way: string,
  who: Who,
  args: string,
  ...[naive = reach(8080), guarded = TO_SIDECAR]: [naive?: string, guarded?: string | RegExp]
): Attempt {
  return { way, who, args, naive, guarded };
}

async function populate(network: PodNetwork): Promise<void> {
  await network.serve(server, 'server', SERVER_LISTENS);
  await network.serve(sidecar, 'sidecar', SIDECAR_LISTENS);
  await network.serve({ place: 'world', uid: 0, capabilities: ['net_bind_service'] }, 'world', WORLD_LISTENS);
}

describe.skipIf(reason !== undefined)(
  `ways around the sidecar${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let naive: PodNetwork;
    let guarded: PodNetwork;
    beforeAll(async () => {
      naive = await PodNetwork.create();
      guarded = await PodNetwork.create();
      await guarded.netInit(NET_INIT);
      await populate(naive);
      await populate(guarded);
    });
    afterAll(async () => {
      await naive[Symbol.asyncDispose]();
      await guarded[Symbol.asyncDispose]();
    });

    describe.each([
      ['from another pod', fromOutside],
      ['from inside the pod', fromInside],
      ['out of the pod', outward],
    ])('%s', (_, attempts) => {
      test.each(attempts)('$way', async ({ who, args, naive: open, guarded: closed }) => {
        const without = await naive.attempt(who, args.split(' '));
        const within = await guarded.attempt(who, args.split(' '));
        // SCTP and UDP-Lite are not in every kernel; what is not there is no way around.
        if (without === NOT_IN_THIS_KERNEL) {
          expect(within).toBe(NOT_IN_THIS_KERNEL);
          return;
        }
        expect(without).toBe(open);
        expect(within).toMatch(closed);
      });
    });

    describe('with the capabilities that a runtime gives and injection takes away', () => {
      const user = (capabilities: readonly string[]): Who => ({ place: 'pod', uid: 0, capabilities });

      test('root becomes the sidecar', async () => {
        const args = `tcp 127.0.0.1 8080 user=${SIDECAR}`.split(' ');
        expect(await guarded.attempt(user(['setuid', 'setgid']), args)).toBe(reach(8080));
        expect(await guarded.attempt(user([]), args)).toBe('refused EPERM');
        expect(await guarded.attempt(otherContainer, args)).toBe('refused EPERM');
      });

      test('a packet socket writes past the rules', async () => {
        expect(await guarded.attempt(user(['net_raw']), ['packet', '127.0.0.1', '0'])).toBe(
          'answered socket',
        );
        expect(await guarded.attempt(user([]), ['packet', '127.0.0.1', '0'])).toBe('refused EPERM');
        expect(await guarded.attempt(user([]), ['raw', WORLD.v4, '0'])).toBe('refused EPERM');
      });

      test('the rules are removed', async () => {
        await using pod = await PodNetwork.create();
        await pod.netInit(NET_INIT);
        const rules = async (): Promise<string> => pod.inside('pod', 'nft', ['list', 'ruleset']);
        const before = await rules();
        expect(before).toContain('gatehouse');
        for (const who of [user([]), otherContainer, { ...otherContainer, claimedUid: 0 }]) {
          expect(await pod.exitOf(who, 'nft', ['flush', 'ruleset'])).not.toBe(0);
          expect(await rules()).toBe(before);
        }
        expect(await pod.exitOf(user(['net_admin']), 'nft', ['flush', 'ruleset'])).toBe(0);
        expect(await rules()).toBe('');
      });
    });

    describe("while the sidecar is away, another container listens on the sidecar's port", () => {
      test.each(['tcp', 'mptcp'])('%s', async (kind) => {
        const answers: string[] = [];
        for (const rules of [false, true]) {
          await using pod = await PodNetwork.create();
          if (rules) await pod.netInit(NET_INIT);
          await pod.serve(otherContainer, 'impostor', [`${kind},::,15000`]);
          answers.push(await pod.attempt(client, ['tcp', POD.v4, '15000']));
          answers.push(await pod.attempt(otherContainer, ['tcp', '127.0.0.1', '15000']));
        }
        expect(answers).toEqual(['answered impostor:15000', 'answered impostor:15000', 'silence', 'silence']);
      });
    });

    describe('what must keep working', () => {
      test.each<[string, Who, string, string]>([
        ['the sidecar reaches the server', sidecar, 'tcp 127.0.0.1 8080', reach(8080)],
        ['the sidecar reaches the world', sidecar, `tcp ${WORLD.v6} 443`, 'answered world:443'],
        ['the sidecar may speak UDP', sidecar, `udp ${WORLD.v4} 443`, 'answered world:443'],
        ['another pod reaches the sidecar', client, `tcp ${POD.v4} 15000`, TO_SIDECAR],
        ['another pod reads metrics', client, `tcp ${POD.v6} 15020`, 'answered sidecar:15020'],
        ['the node probes', client, `tcp ${POD.v4} 15021`, 'answered sidecar:15021'],
        ['another pod reaches an open port', client, `tcp ${POD.v4} 9000`, reach(9000)],
        ['another pod reaches an open port, IPv6', client, `tcp ${POD.v6} 9000`, reach(9000)],
        ['another container reaches an open port', ephemeral, 'tcp ::1 9000', reach(9000)],
        ['containers reach each other', otherContainer, 'tcp 127.0.0.1 8081', reach(8081)],
        ['port-forward reaches the sidecar', runtime, 'tcp 127.0.0.1 15000', TO_SIDECAR],
        ['the server asks the resolver', server, `udp ${WORLD.v4} 53`, 'answered world:53'],
        ['the server asks the resolver, IPv6', server, `udp ${WORLD.v6} 53`, 'answered world:53'],
        ['the server calls out', server, `tcp ${WORLD.v4} 443`, 'answered world:443'],
        ['the server calls out, IPv6', server, `tcp ${WORLD.v6} 443`, 'answered world:443'],
      ])('%s', async (_, who, args, expected) => {
        expect(await guarded.attempt(who, args.split(' '))).toBe(expected);
      });

      test('neighbours find each other over IPv6', async () => {
        for (const place of ['pod', 'world'] as const)
          await guarded.inside(place, 'ip', ['-6', 'neighbour', 'flush', 'nud', 'all']);
        expect(await guarded.attempt(server, ['tcp', WORLD.v6, '443'])).toBe('answered world:443');
        expect(await guarded.attempt(client, ['tcp', POD.v6, '8080'])).toBe(TO_SIDECAR);
      });
    });

    describe('with a port for what leaves', () => {
      let pod: PodNetwork;
      beforeAll(async () => {
        pod = await PodNetwork.create();
        await pod.netInit([...NET_INIT, '--outbound-port', '15001']);
        await populate(pod);
      });
      afterAll(() => pod[Symbol.asyncDispose]());

      test.each<[string, Who, string, string]>([
        ['outgoing TCP meets the sidecar', server, `tcp ${WORLD.v4} 443`, 'answered sidecar:15001'],
        ['over IPv6 too', otherContainer, `tcp ${WORLD.v6} 443`, 'answered sidecar:15001'],
        ['from users nobody stated too', ephemeral, `tcp ${WORLD.v4} 5353`, 'answered sidecar:15001'],
        ['the resolver is asked over TCP', server, `tcp ${WORLD.v4} 53`, 'answered world:53'],
        ['the sidecar itself goes out', sidecar, `tcp ${WORLD.v4} 443`, 'answered world:443'],
        ['loopback stays as it was', otherContainer, 'tcp 127.0.0.1 8080', TO_SIDECAR],
        ['nobody outside reaches that port', client, `tcp ${POD.v4} 15001`, TO_SIDECAR],
        ['containers may name that port', otherContainer, 'tcp 127.0.0.1 15001', 'answered sidecar:15001'],
        ['port-forward may not', runtime, 'tcp 127.0.0.1 15001', TO_SIDECAR],
        ['nor a user nobody stated', ephemeral, 'tcp ::1 15001', TO_SIDECAR],
      ])('%s', async (_, who, args, expected) => {
        expect(await pod.attempt(who, args.split(' '))).toBe(expected);
      });
    });

    describe("with the sidecar's ports for the server, as of a database", () => {
      const LOCAL = ['--local-ports', '5432,5433', '--local-uid', String(SERVER)];
      const DATABASE = 'answered sidecar:5432';
      const LISTENS = ['127.0.0.1', '::1'].map((host) => `tcp,${host},5432`);
      let open: PodNetwork;
      let pod: PodNetwork;
      beforeAll(async () => {
        open = await PodNetwork.create();
        pod = await PodNetwork.create();
        // As if root were one of the containers, which port-forward then passes for.
        await pod.netInit([...NET_INIT, '--container-uids', `0,${SERVER},${OTHER}`, ...LOCAL]);
        for (const network of [open, pod]) {
          await populate(network);
          await network.serve(sidecar, 'sidecar', LISTENS);
          await network.serve(sidecar, 'sidecar', ['mptcp,127.0.0.1,5433']);
        }
      });
      afterAll(async () => {
        await open[Symbol.asyncDispose]();
        await pod[Symbol.asyncDispose]();
      });

      test.each<[string, Who, string]>([
        ['another container', otherContainer, 'tcp 127.0.0.1 5432'],
        ['another container over IPv6', otherContainer, 'tcp ::1 5432'],
        ['another container, a mapped address', otherContainer, 'tcp ::ffff:127.0.0.1 5432'],
        ['another container, fast open', otherContainer, 'tcp 127.0.0.1 5432 fastopen=1'],
        ['another container, bound to lo', otherContainer, 'tcp 127.0.0.1 5432 device=lo'],
        ['another container, claiming to be the sidecar', sidecarByName, 'tcp 127.0.0.1 5432'],
        [
          'another container, claiming to be the server',
          { ...otherContainer, claimedUid: SERVER },
          'tcp 127.0.0.1 5432',
        ],
        ['an ephemeral container', ephemeral, 'tcp 127.0.0.1 5432'],
        ['port-forward', runtime, 'tcp 127.0.0.1 5432'],
        ['port-forward over IPv6', runtime, 'tcp ::1 5432'],
      ])('%s does not reach them', async (_, who, args) => {
        expect(await open.attempt(who, args.split(' '))).toBe(DATABASE);
        expect(await pod.attempt(who, args.split(' '))).toBe(TO_SIDECAR);
      });

      test.each<[string, Who, string, string]>([
        ['the server reaches them', server, 'tcp 127.0.0.1 5432', DATABASE],
        ['over IPv6 too', server, 'tcp ::1 5432', DATABASE],
        ['by Multipath TCP too', server, 'mptcp 127.0.0.1 5433', 'answered sidecar:5433'],
        ['another pod meets the sidecar', client, `tcp ${POD.v4} 5432`, TO_SIDECAR],
        ['another pod over IPv6 too', client, `tcp ${POD.v6} 5432`, TO_SIDECAR],
        ["the server's port stays the sidecar's alone", server, 'tcp 127.0.0.1 8080', TO_SIDECAR],
        ['containers reach each other', otherContainer, 'tcp 127.0.0.1 8081', reach(8081)],
      ])('%s', async (_, who, args, expected) => {
        expect(await pod.attempt(who, args.split(' '))).toBe(expected);
      });

      test.each(['tcp', 'mptcp'])('nobody else answers there: %s', async (kind) => {
        const answers: string[] = [];
        for (const rules of [false, true]) {
          await using network = await PodNetwork.create();
          if (rules) await network.netInit([...NET_INIT, ...LOCAL]);
          await network.serve(otherContainer, 'impostor', [`${kind},::,5432`]);
          answers.push(await network.attempt(server, ['tcp', '127.0.0.1', '5432']));
          answers.push(await network.attempt(server, ['tcp', '::1', '5432']));
        }
        expect(answers).toEqual(['answered impostor:5432', 'answered impostor:5432', 'silence', 'silence']);
      });
    });

    test('running again puts the same rules in place, other options other rules', async () => {
      await using pod = await PodNetwork.create();
      const rules = async (): Promise<string> => pod.inside('pod', 'nft', ['list', 'ruleset']);
      expect(await pod.netInit(NET_INIT)).toContain('Inbound TCP goes to port 15000');
      const first = await rules();
      await pod.netInit(NET_INIT);
      expect(await rules()).toBe(first);
      await pod.netInit(['--server-port', '7777', '--dns', '10.96.0.10']);
      expect(await rules()).toContain('7777');
      expect(await rules()).not.toContain('8080');
    });

    test('without NET_ADMIN it says what it needs', async () => {
      await using pod = await PodNetwork.create();
      await expect(pod.netInit(NET_INIT, [])).rejects.toThrow(
        'the init container needs the capability NET_ADMIN',
      );
    });
  },
);
