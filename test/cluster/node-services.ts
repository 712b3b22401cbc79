/** Servers of the test's own machine as Services of its cluster, such as a Vault that listens on loopback. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ADDRESSES, type Layout } from '../../hack/cluster/layout.ts';
import { runningState } from '../../hack/cluster/state.ts';

/** Runs in the network of the node: what arrives there goes to a socket of the file system, which all networks share. */
const RELAY = `
const { connect, createServer } = require('node:net');
const [path, host] = process.argv.slice(1);
const server = createServer((near) => {
  const far = connect(path);
  near.pipe(far).on('error', () => near.destroy());
  far.pipe(near).on('error', () => far.destroy());
});
server.listen(0, host, () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
`;

export interface NodeService extends AsyncDisposable {
  /** Makes it a Service, for `kubectl apply`. */
  readonly manifests: readonly Readonly<Record<string, unknown>>[];
}

/** Lets pods reach what listens on `port` of this machine's loopback as Service `name` with the same port. */
export async function serveOnNode(layout: Layout, name: string, port: number): Promise<NodeService> {
  const state = runningState(layout);
  if (state === undefined) throw new Error(`The cluster ${layout.name} is not running.`);
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-node-service-'));
  const path = join(directory, 'socket');
  const inward = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port });
    near.pipe(far).on('error', () => near.destroy());
    far.pipe(near).on('error', () => far.destroy());
  });
  await once(inward.listen(path), 'listening');
  const [address] = ADDRESSES.node;
  const relay = spawn(
    'nsenter',
    [`--target=${state.pid}`, '--net', '--', process.execPath, '--eval', RELAY, path, address],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const opened: unknown[] = await once(createInterface(relay.stdout), 'line');
  return {
    manifests: manifestsOf(name, { port, address, targetPort: Number(opened[0]) }),
    [Symbol.asyncDispose]: async () => {
      relay.stdin.end();
      if (relay.exitCode === null) await once(relay, 'exit');
      inward.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Target {
  readonly port: number;
  readonly address: string;
  readonly targetPort: number;
}

/** A Service without a selector, as for whatever lies outside of a cluster. */
function manifestsOf(name: string, { port, address, targetPort }: Target): NodeService['manifests'] {
  const metadata = { name };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'main', port, targetPort }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'main', port: targetPort, protocol: 'TCP' }],
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    },
  ];
}
