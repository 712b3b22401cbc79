/** Answers the kubelet in place of the containers, over plain HTTP. It tells well or not well, and nothing else. */
import { createServer, type Server } from 'node:http';
import type { ProbeTargets } from '../../crds/probes.ts';
import { ask } from './ask.ts';

/** Paths are the ones that injection wrote, as they stand; no other is answered. */
export function createProbesServer(targets: ProbeTargets): Server {
  return createServer((request, response) => {
    const path = request.url ?? '';
    const target = Object.hasOwn(targets, path) ? targets[path] : undefined;
    if (target === undefined || request.method !== 'GET') {
      response.writeHead(404).end('there is no such probe\n');
      return;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    void ask(target, gone.signal).then((well) => {
      response.writeHead(well ? 200 : 503).end(well ? 'ok\n' : 'the container is not well\n');
    });
  });
}
