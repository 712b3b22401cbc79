/**
 * Keeps the processes of a cluster running and leads the machine's loopback to its API server. Runs inside the
 * cluster's namespaces; `up` hands it the listening socket, which stays in the network that it was opened in.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { connect, Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { Daemon } from './daemons.ts';
import { CLUSTER_MOUNT } from './layout.ts';

const RESTART_AFTER = 1000;

const daemons = z
  .array(z.object({ name: z.string(), program: z.string(), args: z.array(z.string()) }))
  .parse(JSON.parse(readFileSync(join(CLUSTER_MOUNT, 'etc/daemons.json'), 'utf8')));

process.once('message', (_message, handle) => {
  if (!(handle instanceof Server)) throw new Error('The first message must carry the listening socket.');
  handle.on('connection', relay);
  // The starter leaves when it knows; the channel's end shows nothing, as the shells in between hold it open too.
  process.send?.('listening');
});
for (const daemon of daemons) keepRunning(daemon);

function keepRunning(daemon: Daemon): void {
  const log = openLog(daemon.name);
  const start = (): void => {
    const child = spawn(daemon.program, daemon.args, { stdio: ['ignore', log, log], detached: true });
    // Each waits for what it needs by ending and being started again, as under any supervisor.
    const again = (): void => void setTimeout(start, RESTART_AFTER);
    child.once('error', again);
    child.once('exit', again);
  };
  start();
}

function openLog(name: string): number {
  return openSync(join(CLUSTER_MOUNT, 'log', `${name}.log`), 'a');
}

function relay(client: Socket): void {
  const server = connect({ host: '127.0.0.1', port: 6443, allowHalfOpen: true });
  const close = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on('error', close).on('close', close);
  server.on('error', close).on('close', close);
  client.pipe(server);
  server.pipe(client);
}
