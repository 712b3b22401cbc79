/** Starts a cluster and waits until pods can run on it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { createCgroups } from './cgroup.ts';
import { daemonsOf } from './daemons.ts';
import { ClusterError } from './errors.ts';
import { configurationFiles, type Snapshotter } from './files.ts';
import { writeIdentities } from './identities.ts';
import { tailOf } from './ready.ts';
import { ADDRESSES, families, type Layout } from './layout.ts';
import { writeState } from './state.ts';

const here = import.meta.dirname;
/** Joins the control groups that the first argument lists and becomes the command that follows. */
const JOIN_AND_RUN = 'for file in $1; do echo $$ > "$file"; done; shift; exec "$@"';

/** Starts every process of the cluster; they outlive this one. Throws ClusterError. */
export async function startCluster(layout: Layout): Promise<void> {
  const listener = await listen();
  const { port } = addressOf(listener);
  for (const folder of ['etc/cni', 'log', 'etcd', 'containerd', 'kubelet', 'pod-logs'])
    mkdirSync(join(layout.directory, folder), { recursive: true });
  await writeIdentities(layout, port);
  writeConfiguration(layout);
  const first = startFirstProcess(layout);
  const started = answerOf(first, layout);
  first.send('listener', listener);
  await started;
  writeState(layout, { pid: first.pid ?? 0, port });
  listener.close();
  first.unref();
}

function writeConfiguration(layout: Layout): void {
  const files = {
    ...configurationFiles(layout, snapshotterFor(layout.directory)),
    'daemons.json': JSON.stringify(daemonsOf(layout)),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(layout.directory, 'etc', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

function snapshotterFor(directory: string): Snapshotter {
  const type = spawnSync('stat', ['--file-system', '--format=%T', directory], {
    encoding: 'utf8',
  }).stdout.trim();
  return type === 'overlayfs' ? 'native' : 'overlayfs';
}

/** Joins the cluster's control groups before it becomes anything else, so that no child of it can be missed. */
function startFirstProcess(layout: Layout): ChildProcess {
  const log = openSync(join(layout.directory, 'log', 'node-init.log'), 'a');
  const pairs = families(ADDRESSES.node).map((node, index) => `${node} ${ADDRESSES.services[index] ?? ''}`);
  const args = [
    ...['-c', JOIN_AND_RUN, 'join', createCgroups(layout.cgroup).join(' ')],
    ...['unshare', '--net', '--mount', '--pid', '--ipc', '--uts', '--fork', '--mount-proc', '--kill-child'],
    ...[join(here, 'node-init.sh'), layout.directory, layout.node, pairs.join('\n')],
    ...[process.execPath, join(here, 'supervisor.ts')],
  ];
  return spawn('/bin/sh', args, { stdio: ['ignore', log, log, 'ipc'], detached: true, cwd: '/' });
}

/** The supervisor answers once it has the socket. */
function answerOf(child: ChildProcess, layout: Layout): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', () => {
      child.disconnect();
      resolve();
    });
    child.once('error', (error) =>
      reject(new ClusterError(`The cluster could not be started: ${error.message}.`)),
    );
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${String(code)}`;
      const said = tailOf(layout, 'node-init');
      reject(new ClusterError(`The first process of the cluster ended at once (${how}).\n${said}`));
    });
  });
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new ClusterError('The loopback gave no port.');
  return address;
}
