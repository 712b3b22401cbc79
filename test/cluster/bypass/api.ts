/** What kubectl does over connections of its own: port-forward, and containers added to a pod that runs. */
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { KubeConfig, PortForward } from '@kubernetes/client-node';
import { z } from 'zod';
import { eventually, type Cluster } from '../cluster.ts';
import { orRefusal, type Side } from './attempt.ts';
import type { Container } from './pods.ts';
import { HOST } from './scripts.ts';

function configOf(cluster: Cluster): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  return config;
}

/** The answer to a request through `kubectl port-forward`, as scripts tell it. */
export async function forwarded(side: Side, port: number): Promise<string> {
  const forward = new PortForward(configOf(side.cluster));
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    void forward.portForward(side.namespace, side.target, [port], socket, null, socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const local = server.address() as AddressInfo;
    return await answerOf(local.port);
  } finally {
    server.close();
  }
}

async function answerOf(port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const request = get(
    { port, host: '127.0.0.1', path: '/mcp', agent: false, timeout: 5000, headers: { host: HOST } },
    (response) => {
      void text(response).then((body) =>
        resolve(body === 'SERVER' ? body : `answered ${String(response.statusCode)} ${body}`),
      );
    },
  );
  request.on('timeout', () => request.destroy()).on('error', (error) => resolve(`refused: ${error.message}`));
  return promise;
}

const podObject = z.looseObject({
  spec: z.looseObject({ ephemeralContainers: z.array(z.looseObject({})).optional() }),
});

/** Adds a container to the target and gives what it prints, or what the API server says against it. */
export function inEphemeral(side: Side, container: Container): Promise<string> {
  const { cluster, namespace, target: name } = side;
  const where = { namespace, container: container.name };
  return orRefusal(async () => {
    const { spec, ...pod } = await cluster.get(podObject, `pod/${name}`, namespace);
    const ephemeralContainers = [...(spec.ephemeralContainers ?? []), container];
    await cluster.kubectl(
      ['replace', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}/ephemeralcontainers`, '-f', '-'],
      { input: JSON.stringify({ ...pod, spec: { ...spec, ephemeralContainers } }) },
    );
    return eventually(async () => {
      const said = (await cluster.logs(name, where)).trim();
      if (said === '') throw new Error(`The container ${container.name} has said nothing.`);
      return said;
    }, 60);
  });
}
