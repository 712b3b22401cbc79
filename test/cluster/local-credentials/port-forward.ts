/** `kubectl port-forward`, and what is at its other end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { kubernetes } from '../../../hack/tools/parts.ts';
import type { World } from '../story/world.ts';

export interface Forwarded extends AsyncDisposable {
  /** The first line that comes back when a client of PostgreSQL asks for TLS. */
  readonly answerToSslRequest: () => Promise<string>;
}

export async function portForward(
  { cluster, namespace }: World,
  pod: string,
  port: number,
): Promise<Forwarded> {
  const program = kubernetes.isPresent() ? kubernetes.file('kubectl') : 'kubectl';
  const args = ['port-forward', `pod/${pod}`, `:${port}`, `--namespace=${namespace}`, '--address=127.0.0.1'];
  const child = spawn(program, [`--kubeconfig=${cluster.kubeconfig}`, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: unknown[] = await once(createInterface(child.stdout), 'line');
  const near = Number(/127\.0\.0\.1:(\d+) ->/.exec(String(said[0]))?.[1]);
  return {
    answerToSslRequest: async () => {
      const socket = connect(near, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
      const answer: unknown[] = await once(socket, 'data');
      socket.destroy();
      return String(answer[0]).split('\r\n', 1)[0] ?? '';
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
