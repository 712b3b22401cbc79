/** A cluster from its start to its end, beside whatever else runs on the machine. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { bringUp, whyNoCluster } from '../../hack/cluster/bring-up.ts';
import { processesIn } from '../../hack/cluster/cgroup.ts';
import { clusterNamed } from '../../hack/cluster/config.ts';
import { runningState } from '../../hack/cluster/state.ts';
import { takeDown } from '../../hack/cluster/take-down.ts';
import { BASE_IMAGE } from '../../hack/tools/parts.ts';
import { Cluster, eventually } from './cluster.ts';
import { testClusterName } from './names.ts';

const unable = whyNoCluster();
const images = { gatehouse: 'unused', node: BASE_IMAGE };

/** What a cluster could leave on the machine; `networks` are the network namespaces that it had. */
function traces(name: string, networks: ReadonlySet<string>): Record<string, unknown> {
  const layout = clusterNamed(name);
  return {
    directory: existsSync(layout.directory),
    processes: processesIn(layout.cgroup),
    // A process that had left the control groups would still be in one of its networks.
    strays: processes().filter((id) => networks.has(networkOf(id))),
    cgroups: execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', layout.cgroup], {
      encoding: 'utf8',
    }),
    mounts: mountsMatching(layout.directory),
  };
}

/** Those of its node and of its pods. */
function networksOf(name: string): ReadonlySet<string> {
  const own = networkOf('self');
  const ids = processesIn(clusterNamed(name).cgroup).map(String);
  return new Set(ids.map(networkOf).filter((network) => network !== own && network !== ''));
}

/** The machine's own network, mounts and settings, which a cluster must not touch. */
function machine(): Record<string, unknown> {
  const read = (path: string): string => readFileSync(path, 'utf8');
  return {
    interfaces: readdirSync('/sys/class/net'),
    routes: read('/proc/net/route'),
    mounts: mountsMatching('cluster-run', 'cluster-var', 'containerd', 'kubelet', '/run/netns'),
    shims: existsSync('/run/containerd') ? readdirSync('/run/containerd') : [],
    namespaces: existsSync('/run/netns') ? readdirSync('/run/netns') : [],
    cni: existsSync('/var/lib/cni'),
    settings: ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'].map(
      (name) => read(join('/proc/sys', name)),
    ),
  };
}

function mountsMatching(...words: readonly string[]): readonly string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return mounts.filter((line) => words.some((word) => line.includes(word)));
}

function processes(): readonly string[] {
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
}

/** Empty for a process that has ended in the meantime. */
function networkOf(id: string): string {
  try {
    return readlinkSync(`/proc/${id}/ns/net`);
  } catch {
    return '';
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('It is not there yet.');
  return value;
}

const NOTHING = { directory: false, processes: [], strays: [], cgroups: '', mounts: [] };

describe.skipIf(unable !== undefined)(
  `a cluster on this machine${unable === undefined ? '' : ` (${unable})`}`,
  { timeout: 300_000 },
  () => {
    const names = {
      whole: testClusterName('whole'),
      killed: testClusterName('killed'),
      failed: testClusterName('failed'),
    };

    afterAll(async () => {
      for (const name of Object.values(names)) await takeDown(clusterNamed(name));
    }, 120_000);

    it('runs pods whose logs and shells can be had, and leaves nothing', async () => {
      const before = machine();
      const layout = clusterNamed(names.whole);
      await bringUp(layout, { keep: false, say: () => undefined });
      const cluster = new Cluster({ kubeconfig: layout.kubeconfig, images });
      await cluster.apply([echoServer, echoService]);
      await cluster.waitFor('pod/echo', 'Ready');
      expect(await cluster.logs('echo')).toContain('listening');
      const answer = await eventually(() =>
        cluster.script('echo', 'console.log(await (await fetch("http://echo-service.default.svc")).text())'),
      );
      expect(answer.trim()).toBe('for orders.example');
      expect(machine()).toEqual(before);
      const networks = networksOf(names.whole);
      expect(networks.size).toBe(2);

      await takeDown(layout);
      expect(traces(names.whole, networks)).toEqual(NOTHING);
      expect(machine()).toEqual(before);
    });

    it('says why it did not come up, and leaves nothing', async () => {
      const layout = clusterNamed(names.failed);
      const failure = expect(bringUp(layout, { keep: false, say: () => undefined })).rejects.toThrow(
        /did not come up: its first process has ended[^]*The last lines of node-init[.]log/,
      );
      const pid = await eventually(() => Promise.resolve(required(runningState(layout)).pid));
      const networks = networksOf(names.failed);
      process.kill(pid, 'SIGKILL');
      await failure;
      expect(traces(names.failed, networks)).toEqual(NOTHING);
    });

    it('leaves nothing when its start is killed half way', async () => {
      const main = join(import.meta.dirname, '../../hack/cluster/main.ts');
      const start = spawn(process.execPath, [main, 'up', '--name', names.killed], { stdio: 'ignore' });
      const layout = clusterNamed(names.killed);
      await eventually(() => {
        // Its processes run and it waits for them.
        expect(existsSync(layout.stateFile)).toBe(true);
        return Promise.resolve();
      });
      start.kill('SIGKILL');
      await sleep(500);
      const networks = networksOf(names.killed);
      expect(networks.size).toBe(1);
      expect(traces(names.killed, networks)).toMatchObject({ directory: true });

      await takeDown(layout);
      expect(traces(names.killed, networks)).toEqual(NOTHING);
    });
  },
);

const echoServer = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'echo', labels: { app: 'echo' } },
  spec: {
    containers: [
      {
        name: 'echo',
        image: BASE_IMAGE,
        args: [
          '--eval',
          `const claims = JSON.parse(Buffer.from(require('node:fs').readFileSync('/token/token', 'utf8').split('.')[1], 'base64url'));
           require('node:http').createServer((_, response) => response.end('for ' + claims.aud[0])).listen(8080, () => console.log('listening'));`,
        ],
        readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
        volumeMounts: [{ name: 'token', mountPath: '/token' }],
      },
    ],
    volumes: [
      {
        name: 'token',
        projected: { sources: [{ serviceAccountToken: { audience: 'orders.example', path: 'token' } }] },
      },
    ],
  },
};

const echoService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo-service' },
  spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8080 }] },
};
