/** Ways over the network: from other pods, from other containers, through the API server. */
import { forwarded } from './api.ts';
import { ephemeralWay, evaluating } from './containers.ts';
import { GATEWAY, inNewPod, inside, orRefusal, outside, type Attempt, type Side } from './attempt.ts';
import { PORTS, SLEEP, withSpec } from './pods.ts';
import { overTcp, overUdp } from './scripts.ts';

const REACHED = 'SERVER';
/** The proxy of the API server takes the caller's token for itself, and names what it likes in the Host header. */
const REFUSED_HOST = /^refused: .*(?:Forbidden|Unauthorized)\)/s;
const SILENCE = /^(?:silence|refused E\w+)$/;

const fromAnotherPod: Attempt[] = [
  ['the server port', PORTS.server],
  ['a second port that is declared', PORTS.declared],
  ['a second port that is not declared', PORTS.undeclared],
].flatMap(([what, port]) => [
  way(`pod IP, ${what}`, (side) => outside(side, overTcp(side.ips.v4, Number(port)))),
  way(`pod IPv6, ${what}`, (side) => outside(side, overTcp(side.ips.v6 ?? side.ips.v4, Number(port)))),
]);

const services: Attempt[] = [
  way('a Service of the port by number', (side) => throughService(side, 'by-number', PORTS.server)),
  way("a Service of one's own to another port", (side) => throughService(side, 'second', PORTS.undeclared)),
  way('a headless Service', (side) => throughService(side, 'headless', PORTS.server, { clusterIP: 'None' })),
  way('a node port', async (side) => {
    const service = await makeService(side, 'node-port', PORTS.undeclared, { type: 'NodePort' });
    const port = await side.cluster.kubectl(
      jsonPath(side, `service/${service}`, '{.spec.ports[0].nodePort}'),
    );
    const node = await side.cluster.kubectl(jsonPath(side, `pod/${side.target}`, '{.status.hostIP}'));
    return onceProgrammed(side, overTcp(node, Number(port)));
  }),
];

const datagrams: Attempt[] = [
  way('UDP to the pod IP', (side) => outside(side, overUdp(side.ips.v4, PORTS.server)), SILENCE),
  way('UDP over IPv6', (side) => outside(side, overUdp(side.ips.v6 ?? side.ips.v4, PORTS.server)), SILENCE),
  way('UDP on loopback', (side) => inside(side, 'other', overUdp('127.0.0.1', PORTS.server)), SILENCE),
  way('UDP on IPv6 loopback', (side) => inside(side, 'other', overUdp('::1', PORTS.server)), SILENCE),
];

const loopback: Attempt[] = [
  ...['127.0.0.1', '::1', '127.8.8.8', '0.0.0.0', '::ffff:127.0.0.1'].map((address) =>
    way(`another container, ${address}`, (side) => inside(side, 'other', overTcp(address, PORTS.server))),
  ),
  way('another container, the pod IP', (side) => inside(side, 'other', overTcp(side.ips.v4, PORTS.server))),
  way('another container, the pod IPv6', (side) =>
    inside(side, 'other', overTcp(side.ips.v6 ?? side.ips.v4, PORTS.server)),
  ),
  way('another container, a second port', (side) =>
    inside(side, 'other', overTcp('127.0.0.1', PORTS.declared)),
  ),
  way('exec into the server', (side) => inside(side, 'server', overTcp('127.0.0.1', PORTS.server))),
  way('an init container that stays', (side) => {
    const pod = side.podNamed('init-stays');
    const [server] = pod.spec.containers;
    const stays = { ...server, name: 'stays', restartPolicy: 'Always', args: ['--eval', SLEEP], ports: [] };
    const script = overTcp('127.0.0.1', PORTS.server);
    return inNewPod(side, withSpec(pod, { initContainers: [stays] }), 'stays', script);
  }),
];

const otherwise: Attempt[] = [
  ephemeralWay('an ephemeral container', () => ({}), GATEWAY),
  ephemeralWay(
    'an ephemeral container, a second port',
    () => ({ args: evaluating(overTcp('127.0.0.1', PORTS.declared)) }),
    GATEWAY,
  ),
  way(
    "the node's network",
    (side) => {
      const pod = withSpec(side.podNamed('host-network'), { hostNetwork: true });
      return inNewPod(side, pod, 'other', overTcp('127.0.0.1', PORTS.undeclared));
    },
    /refused: .*hostNetwork/s,
  ),
];

const throughTheApi: Attempt[] = [
  way('port-forward', (side) => forwarded(side, PORTS.server)),
  way('port-forward to a second port', (side) => forwarded(side, PORTS.declared)),
  way('port-forward to a port that is not declared', (side) => forwarded(side, PORTS.undeclared)),
  ...[PORTS.server, PORTS.undeclared].map((port) =>
    way(
      `the API server's proxy to pods, port ${port}`,
      (side) => proxied(side, `pods/${side.target}:${port}`),
      REFUSED_HOST,
    ),
  ),
  way(
    "the API server's proxy to Services",
    async (side) => proxied(side, `services/${await makeService(side, 'proxied', PORTS.server, {})}:80`),
    REFUSED_HOST,
  ),
];

export const networkWays: readonly Attempt[] = [
  ...fromAnotherPod,
  ...services,
  ...datagrams,
  ...loopback,
  ...otherwise,
  ...throughTheApi,
];

function way(name: string, tried: Attempt['tried'], guarded: Attempt['guarded'] = GATEWAY): Attempt {
  return { name, tried, naive: REACHED, guarded };
}

function jsonPath({ namespace }: Side, object: string, path: string): string[] {
  return ['get', object, `--namespace=${namespace}`, `--output=jsonpath=${path}`];
}

function proxied({ cluster, namespace }: Side, path: string): Promise<string> {
  return orRefusal(() =>
    cluster.kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/${path}/proxy/mcp`]),
  );
}

/** Its name. */
async function makeService(
  { cluster, namespace, target }: Side,
  purpose: string,
  targetPort: number,
  spec: object,
): Promise<string> {
  const name = `${purpose}-${target}`;
  await cluster.apply(
    [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector: { instance: target }, ports: [{ port: 80, targetPort }], ...spec },
      },
    ],
    namespace,
  );
  return name;
}

async function throughService(side: Side, purpose: string, targetPort: number, spec = {}): Promise<string> {
  const name = await makeService(side, purpose, targetPort, spec);
  const port = 'clusterIP' in spec ? targetPort : 80;
  return onceProgrammed(side, overTcp(`${name}.${side.namespace}.svc.cluster.local`, port));
}

/** A name, its endpoints and the rules of the node take a moment to be there. */
async function onceProgrammed(side: Side, script: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const outcome = await outside(side, script);
    if (!outcome.startsWith('refused') || tries === 20) return outcome;
  }
}
