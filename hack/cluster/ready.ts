/** Waits until a cluster that was started can run pods, and says what it waits for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed } from '../tools/run.ts';
import { installAddons } from './addons.ts';
import { ClusterError } from './errors.ts';
import { loadImages, CLUSTER_IMAGES } from './images.ts';
import { kubectl } from './kubectl.ts';
import type { Layout } from './layout.ts';
import { runningState } from './state.ts';

interface Step {
  readonly what: string;
  /** Whose log says why when it does not happen. */
  readonly daemon: string;
  /** Rejects, or resolves to false, until it is so. */
  readonly isSo: () => Promise<boolean>;
}

const PATIENCE = 90_000;
const PAUSE = 250;
const LOG_LINES = 15;

export async function waitUntilReady(layout: Layout, say: (progress: string) => void): Promise<void> {
  for (const step of stepsFor(layout)) {
    const started = Date.now();
    await waitFor(layout, step);
    say(`${step.what} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  }
}

function stepsFor(layout: Layout): readonly Step[] {
  const get = (...args: string[]): Promise<string> => kubectl(layout.kubeconfig, ['get', ...args]);
  return [
    {
      what: 'the API server is ready',
      daemon: 'kube-apiserver',
      isSo: async () => (await get('--raw', '/readyz')) === 'ok',
    },
    {
      what: 'the DNS service and storage are installed',
      daemon: 'kube-apiserver',
      isSo: async () => {
        await installAddons(layout);
        return true;
      },
    },
    {
      what: 'containerd has the images',
      daemon: 'containerd',
      isSo: async () => {
        await loadImages(layout, CLUSTER_IMAGES);
        return true;
      },
    },
    {
      what: 'the node is ready',
      daemon: 'kubelet',
      isSo: async () =>
        (await get('node', layout.node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) ===
        'True',
    },
    {
      what: 'names are resolved',
      daemon: 'coredns',
      isSo: async () => (await get('--raw', `/api/v1/nodes/${layout.node}:8181/proxy/ready`)) === 'OK',
    },
    {
      what: 'pods can have tokens',
      daemon: 'kube-controller-manager',
      isSo: async () => (await get('serviceaccount', 'default', '-o', 'name')) !== '',
    },
  ];
}

async function waitFor(layout: Layout, step: Step): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  let lastWords = '';
  while (Date.now() < deadline) {
    if (runningState(layout) === undefined)
      throw failed(layout, 'its first process has ended', 'node-init', '');
    try {
      if (await step.isSo()) return;
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      lastWords = error.message;
    }
    await sleep(PAUSE);
  }
  throw failed(layout, `within ${PATIENCE / 1000} s it was not so that ${step.what}`, step.daemon, lastWords);
}

function failed(layout: Layout, why: string, daemon: string, lastWords: string): ClusterError {
  const lines = [lastWords, `The last lines of ${daemon}.log:`, tailOf(layout, daemon)].filter(Boolean);
  return new ClusterError(`The cluster ${layout.name} did not come up: ${why}.\n${lines.join('\n')}`);
}

/** The last lines of a log of the cluster. */
export function tailOf(layout: Layout, daemon: string): string {
  try {
    const text = readFileSync(join(layout.directory, 'log', `${daemon}.log`), 'utf8');
    return text.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
  } catch {
    return '(there is none)';
  }
}
