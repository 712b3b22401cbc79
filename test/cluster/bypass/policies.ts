/** Ways by what one tells the API server: labels, images, false sidecars, tokens, and entering the sidecar itself. */
import { z } from 'zod';
import { eventually } from '../cluster.ts';
import { NAMESPACE } from '../installation.ts';
import { GATEWAY, inNewPod, orRefusal, outside, whileThere, type Attempt, type Side } from './attempt.ts';
import { ofTheSidecarsUser } from './containers.ts';
import { PORTS, SLEEP, withOther, withSpec, type Pod } from './pods.ts';
import { overTcp } from './scripts.ts';

const REACH = overTcp('127.0.0.1', PORTS.server);

const manifest = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.looseObject({ containers: z.array(z.looseObject({ name: z.string() })) }),
});

const labels: Attempt[] = [
  {
    name: 'a pod that the gateway selects and that does not opt in',
    tried: (side) =>
      reachedFromOutside(side, relabelled(side.podNamed('not-in'), { 'gatehouse.dev/inject': 'false' })),
    naive: 'SERVER',
    guarded: /refused: .*has no sidecar/s,
  },
  {
    name: 'a pod that gains the labels later',
    tried: (side) => {
      const pod = { ...side.podNamed('joins'), metadata: { name: 'joins', labels: { app: 'elsewhere' } } };
      return whileThere(
        side,
        pod,
        async (name) => {
          await labelled(side, name, 'app=orders');
          return reach(side, name);
        },
        'plain',
      );
    },
    naive: 'SERVER',
    guarded: /refused: .*no sidecar/s,
  },
  {
    name: 'a pod that drops its label',
    tried: (side) => orRefusal(() => labelled(side, side.target, 'gatehouse.dev/inject-')),
    naive: /unlabeled|not found/,
    guarded: /refused: .*cannot change/s,
  },
  {
    name: 'a pod that claims to be injected',
    tried: (side) => {
      const pod = side.podNamed('claims');
      const annotations = { 'gatehouse.dev/injection': 'd'.repeat(32), 'gatehouse.dev/status': 'injected' };
      return reachedFromOutside(side, { ...pod, metadata: { ...pod.metadata, annotations } });
    },
    naive: 'SERVER',
    guarded: GATEWAY,
  },
];

const sidecars: Attempt[] = [
  {
    name: 'a pod made anew from its own manifest, without the sidecar',
    tried: async (side) => {
      const { metadata, spec } = await side.cluster.get(manifest, `pod/${side.target}`, side.namespace);
      const { labels, annotations } = metadata;
      const pod = side.podNamed('without');
      return reachedFromOutside(side, {
        ...pod,
        metadata: { ...pod.metadata, labels, ...(annotations && { annotations }) },
        spec: { ...spec, initContainers: [], ephemeralContainers: [] },
      });
    },
    naive: 'SERVER',
    guarded: GATEWAY,
  },
  {
    name: 'a false sidecar, and no network rules',
    tried: (side) => {
      const pod = side.podNamed('false-sidecar');
      const [server] = pod.spec.containers;
      const idle = { ...server, args: ['--eval', SLEEP], ports: [] };
      const initContainers = [
        { ...idle, name: 'gatehouse-network', args: ['--eval', '0'] },
        { ...idle, name: 'gatehouse-proxy', restartPolicy: 'Always' },
      ];
      return reachedFromOutside(side, withSpec(pod, { initContainers }));
    },
    naive: 'SERVER',
    guarded: GATEWAY,
  },
  {
    name: 'exec into the sidecar',
    tried: ({ cluster, namespace, target, sidecar }) =>
      orRefusal(() => cluster.script(target, REACH, { namespace, container: sidecar.container })),
    naive: 'SERVER',
    guarded: /refused: .*cannot be entered/s,
  },
  {
    name: 'attach to the sidecar',
    tried: ({ cluster, namespace, target, sidecar }) =>
      orRefusal(async () => {
        const args = ['attach', target, `--namespace=${namespace}`, `--container=${sidecar.container}`];
        await cluster.kubectl(args, { timeout: 5000 }).catch((error: unknown) => {
          // Nothing ends an attachment that was let in but the time.
          if (!(error instanceof Error && error.message.includes('SIGKILL'))) throw error;
        });
        return 'ATTACHED';
      }),
    naive: 'ATTACHED',
    guarded: /refused: .*cannot be entered/s,
  },
];

const ELSEWHERE = '192.0.2.1';

const names: Attempt[] = [
  {
    name: 'names of ours pointed elsewhere',
    tried: (side) => {
      const hostnames = ['operator', 'recorder'].map((one) => `gatehouse-${one}.${NAMESPACE}.svc`);
      const pod = withSpec(side.podNamed('pointed'), { hostAliases: [{ ip: ELSEWHERE, hostnames }] });
      const looking = `console.log((await (await import('node:dns/promises')).lookup('${hostnames[0] ?? ''}')).address)`;
      // Nobody may enter a genuine sidecar, but without the operator it would not have become ready.
      if (side.kind === 'guarded') return reachedFromOutside(side, pod);
      return inNewPod(side, pod, side.sidecar.container, looking);
    },
    naive: ELSEWHERE,
    guarded: GATEWAY,
  },
];

const images: Attempt[] = [
  {
    name: "an image swapped later for one whose user is the sidecar's",
    tried: (side) => {
      const pod = withOther(side.podNamed('swaps'), { command: ['node', '--eval', SLEEP], args: [] });
      return whileThere(side, pod, async (name) => {
        const { cluster, namespace } = side;
        const { image } = ofTheSidecarsUser(side);
        await cluster.kubectl(['set', 'image', `pod/${name}`, `other=${image}`, `--namespace=${namespace}`]);
        return eventually(async () => {
          const user = await cluster.script(name, 'console.log(process.getuid())', {
            namespace,
            container: 'other',
          });
          if (user.trim() === '0') throw new Error('The container still runs the image before.');
          return cluster.script(name, REACH, { namespace, container: 'other' });
        }, 60);
      });
    },
    naive: 'SERVER',
    guarded: /refused: .*images of a guarded pod cannot be swapped/s,
  },
];

const tokens: Attempt[] = ['control', 'vault'].map((purpose) => ({
  name: `a token of the ${purpose} audience by name of a ServiceAccount`,
  tried: ({ cluster, namespace, kind }) =>
    orRefusal(async () => {
      const audience = kind === 'naive' ? `naive-${purpose}` : `gatehouse-${purpose}`;
      return (await cluster.token('default', audience, namespace)).split('.').length === 3 ? 'TOKEN' : 'none';
    }),
  naive: 'TOKEN',
  guarded: /refused: .*only nodes may ask/s,
}));

export const policyWays: readonly Attempt[] = [...labels, ...sidecars, ...names, ...images, ...tokens];

function relabelled(pod: Pod, changed: Readonly<Record<string, string>>): Pod {
  return { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...changed } } };
}

function labelled({ cluster, namespace }: Side, pod: string, label: string): Promise<string> {
  return cluster.kubectl(['label', 'pod', pod, label, '--overwrite', `--namespace=${namespace}`]);
}

/** Makes the pod without a sidecar of ours, and calls its server from elsewhere. */
function reachedFromOutside(side: Side, pod: Pod): Promise<string> {
  return whileThere(side, pod, (name) => reach(side, name), 'plain');
}

async function reach(side: Side, pod: string): Promise<string> {
  const path = '--output=jsonpath={.status.podIP}';
  const ip = await side.cluster.kubectl(['get', 'pod', pod, `--namespace=${side.namespace}`, path]);
  return outside(side, overTcp(ip, PORTS.server));
}
