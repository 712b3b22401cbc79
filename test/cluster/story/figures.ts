/** What a sidecar takes: time until it is ready, and memory at rest. */
import { z } from 'zod';
import { eventually } from '../cluster.ts';
import { guardedPod, type World } from './world.ts';

const SIDECAR = 'gatehouse-proxy';

const nodes = z.object({ spec: z.object({ nodeName: z.string() }) });
const summary = z.object({
  pods: z.array(
    z.object({
      podRef: z.object({ name: z.string() }),
      containers: z
        .array(
          z.object({
            name: z.string(),
            memory: z.object({ rssBytes: z.number(), workingSetBytes: z.number() }).optional(),
          }),
        )
        .default([]),
    }),
  ),
});
const ready = z.object({ ready: z.literal(true), startedInMs: z.number() });

/** Sentences for whoever reads the output of the tests. */
export async function figuresOf(world: World): Promise<readonly string[]> {
  const pod = (await guardedPod(world)).metadata.name;
  const ms = await readyAfter(world, pod);
  const { rssBytes, workingSetBytes } = await memoryOf(world, pod);
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    `sidecar from start to ready: ${ms} ms`,
    `memory of the sidecar at rest: ${megabytes(rssBytes)} resident, ${megabytes(workingSetBytes)} working set`,
  ];
}

async function readyAfter({ cluster, namespace }: World, pod: string): Promise<number> {
  const logs = await cluster.logs(pod, { namespace, container: SIDECAR });
  const line = logs.split('\n').find((candidate) => candidate.startsWith('{"ready":true'));
  return ready.parse(JSON.parse(line ?? 'null')).startedInMs;
}

/** The kubelet looks every few seconds. */
async function memoryOf(
  { cluster, namespace }: World,
  pod: string,
): Promise<{ rssBytes: number; workingSetBytes: number }> {
  const node = (await cluster.get(nodes, `pod/${pod}`, namespace)).spec.nodeName;
  return eventually(async () => {
    const text = await cluster.kubectl(['get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`]);
    const found = summary.parse(JSON.parse(text)).pods.find(({ podRef }) => podRef.name === pod);
    const memory = found?.containers.find(({ name }) => name === SIDECAR)?.memory;
    if (memory === undefined) throw new Error('The kubelet has not looked at the sidecar yet.');
    return memory;
  }, 60);
}
