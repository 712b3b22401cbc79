/**
 * A whole guarded pod without a cluster: the network rules that injection sets, `gatehouse standalone` as the sidecar's
 * user, and a world outside with TLS servers and resolvers.
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { issueAuthority, issueServerLeaf } from '../../lib/certificates.ts';
import { startNode, type Child } from '../fixtures/child.ts';
import { callOutcome, type Call, type CallOutcome } from './caller.ts';
import { ASK, seen, type Outside, type Seen } from './outside.ts';
import { POD, PodNetwork, WORLD, type Who } from './pod-network.ts';

export const SIDECAR = 64_311;
export const SERVER_PORT = 8080;
/** Another machine out there, which lies: it has a certificate of nobody that is trusted, and a resolver. */
export const LIAR = '10.203.7.66';
export const NAMES = {
  api: 'api.example.test',
  six: 'six.example.test',
  other: 'other.example.test',
  denied: 'denied.example.test',
  stranger: 'stranger.example.test',
} as const;
/** Names that lead where only the sidecar could go. */
export const INWARD: Readonly<Record<string, string>> = {
  'loopback.example.test': '127.0.0.1',
  'pod.example.test': POD.v4,
  'metadata.example.test': '169.254.169.254',
  'mapped.example.test': '::ffff:7f00:1',
};
const OUTER_ISSUER = 'The outside world';

export interface GuardedPod extends AsyncDisposable {
  readonly network: PodNetwork;
  /** The value that is put in. */
  readonly secret: string;
  /** What the server holds instead. */
  readonly placeholder: string;
  /** The pod's CA, and the roots of the outside, in files that everybody can read. */
  readonly trust: { readonly pod: string; readonly outside: string };
  readonly sidecar: Child;
  /** The directory of manifests. */
  readonly directory: string;
  /** Files of a container whose names are asked of `resolver`, and `hosts` of which it knows already. */
  container(resolver: string, hosts?: string): Promise<NonNullable<Who['files']>>;
  call(who: Who, call: Call): Promise<CallOutcome>;
  /** What the servers outside saw since it was last asked. */
  seen(): Promise<readonly Seen[]>;
}

export const OUTSIDE = OUTER_ISSUER;

/** `rules`: the arguments of net-init; undefined for a pod without rules and without a sidecar. */
export async function startGuardedPod(rules: readonly string[] | undefined): Promise<GuardedPod> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-pod-'));
  await chmod(directory, 0o755);
  const network = await PodNetwork.create();
  const undo: (() => PromiseLike<unknown>)[] = [
    () => rm(directory, { recursive: true, force: true }),
    () => network[Symbol.asyncDispose](),
  ];
  const dispose = async (): Promise<void> => {
    for (const one of undo.reverse()) await one();
  };
  try {
    await network.inside('world', 'ip', ['address', 'add', `${LIAR}/24`, 'dev', 'world0']);
    const outside = await startOutside(network, directory);
    undo.push(() => outside.child.stop());
    if (rules !== undefined) await network.netInit(rules);
    const secret = randomBytes(18).toString('base64url');
    const manifests = join(directory, 'manifests');
    const sidecar =
      rules === undefined ? outside.child : await startSidecar(network, manifests, secret, outside.ca);
    undo.push(() => sidecar.stop());
    const pod = rules === undefined ? outside.ca : await publicCopy(manifests, directory);
    const who: Who = { place: 'world', uid: 0 };
    return {
      network,
      secret,
      placeholder: rules === undefined ? 'none' : await placeholderIn(manifests),
      trust: { pod, outside: outside.ca },
      sidecar,
      directory: manifests,
      container: (resolver, hosts = '') => containerFiles(directory, resolver, hosts),
      call: async (caller, call) => {
        const program = join(import.meta.dirname, 'caller.ts');
        const text = await network.outputOf(caller, [process.execPath, program, JSON.stringify(call)]);
        return callOutcome.parse(JSON.parse(text));
      },
      seen: async () => {
        const text = await network.outputOf(who, ['curl', '-s', `http://${ASK.host}:${ASK.port}/`]);
        return z.array(seen).parse(JSON.parse(text));
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function startOutside(
  network: PodNetwork,
  directory: string,
): Promise<{ readonly child: Child; readonly ca: string }> {
  const validity = { now: Date.now(), days: 1 };
  const trusted = issueAuthority(OUTER_ISSUER, validity);
  const untrusted = issueAuthority('Somebody', validity);
  const ca = join(directory, 'outside.pem');
  await writeFile(ca, trusted.cert);
  const server = async (
    name: string,
    at: { host: string; port: number },
    names: readonly string[],
    authority = trusted,
  ): Promise<Outside['servers'][number]> => {
    const leaf = issueServerLeaf(authority, names, validity);
    const files = { certFile: join(directory, `${name}.pem`), keyFile: join(directory, `${name}.key`) };
    await writeFile(files.certFile, leaf.cert);
    await writeFile(files.keyFile, leaf.key, { mode: 0o600 });
    return { name, ...at, ...files };
  };
  const { api, six, other, denied, stranger } = NAMES;
  const here = [api, other, denied];
  const given: Outside = {
    servers: [
      await server('true', { host: WORLD.v4, port: 443 }, here),
      await server('six', { host: WORLD.v6, port: 443 }, [six]),
      await server('port', { host: WORLD.v4, port: 8443 }, here),
      await server('liar', { host: LIAR, port: 443 }, [...here, stranger], untrusted),
    ],
    resolvers: {
      [WORLD.v4]: {
        ...Object.fromEntries(here.map((name) => [name, [WORLD.v4]])),
        [six]: [WORLD.v6],
        [stranger]: [LIAR],
        ...Object.fromEntries(Object.entries(INWARD).map(([name, address]) => [name, [address]])),
      },
      [LIAR]: { [api]: [LIAR] },
    },
  };
  const child = startNode([join(import.meta.dirname, 'outside.ts'), JSON.stringify(given)], {
    prefix: network.prefix({ place: 'world', uid: 0, capabilities: ['net_bind_service', 'dac_override'] }),
  });
  await child.printed(/^ready$/m);
  return { child, ca };
}

async function startSidecar(
  network: PodNetwork,
  directory: string,
  secret: string,
  outside: string,
): Promise<Child> {
  await mkdir(directory);
  await writeFile(join(directory, 'api.json'), JSON.stringify({ token: secret }));
  await writeFile(join(directory, 'gateway.yaml'), stringify(gateway('Deny')));
  await chown(directory, SIDECAR, SIDECAR);
  const args = [
    ...[join(import.meta.dirname, '../../cli/main.ts'), 'standalone', directory],
    ...['--listen', '[::]:15000', '--admin', '127.0.0.1:0', '--egress', '[::]:15001'],
    ...['--egress-ca', outside, '--resolver', WORLD.v4],
  ];
  const child = startNode(args, { prefix: network.prefix({ place: 'pod', uid: SIDECAR }) });
  await child.printed(/^gatehouse is ready/m);
  return child;
}

/** Anybody may call, since it is not callers that are tried here. */
export function gateway(otherwise: 'Deny' | 'Allow'): object {
  const { api, six, other, stranger } = NAMES;
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'McpGateway',
    metadata: { name: 'calling' },
    spec: {
      server: { url: `http://127.0.0.1:${SERVER_PORT}/mcp` },
      publicUrl: `http://${POD.v4}:${SERVER_PORT}/mcp`,
      identity: [{ name: 'anyone', anonymous: {} }],
      access: [{ anonymous: true, tools: ['*'] }],
      credentials: [
        {
          name: 'api',
          source: { devFile: { path: 'api.json' } },
          whenShared: 'Pod',
          inject: {
            egress: {
              hosts: [api, six, stranger, 'metadata.example.test'],
              header: { name: 'Authorization', value: 'Bearer {{ token }}' },
              placeholder: 'key_',
              env: 'API_TOKEN',
            },
          },
        },
      ],
      egress: { default: otherwise, allow: [other, ...Object.keys(INWARD)].map((host) => `${host}:443`) },
    },
  };
}

/** In a pod it lies in a volume that the app mounts; the sidecar's own directory is its own here. */
async function publicCopy(manifests: string, directory: string): Promise<string> {
  const copy = join(directory, 'pod-ca.pem');
  await writeFile(copy, await readFile(join(manifests, '.gatehouse/proxy/egress/ca.pem')));
  return copy;
}

async function placeholderIn(manifests: string): Promise<string> {
  const env = await readFile(join(manifests, '.gatehouse/proxy/egress/env'), 'utf8');
  const held = /API_TOKEN='([^']*)'/.exec(env)?.[1];
  if (held === undefined) throw new Error('The sidecar wrote no placeholder.');
  return held;
}

let made = 0;

async function containerFiles(
  directory: string,
  resolver: string,
  hosts: string,
): Promise<Record<string, string>> {
  made += 1;
  const [resolvConf, hostsFile] = [join(directory, `resolv-${made}`), join(directory, `hosts-${made}`)];
  await writeFile(resolvConf, `nameserver ${resolver}\noptions timeout:1 attempts:1\n`);
  await writeFile(hostsFile, `127.0.0.1 localhost\n${hosts}\n`);
  return { '/etc/resolv.conf': resolvConf, '/etc/hosts': hostsFile };
}
