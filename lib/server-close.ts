import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';

/** Stops listening, lets running requests end for at most `graceMs`, then cuts what is left. */
export async function closeServer(server: Server | SecureServer, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  let again: NodeJS.Timeout | undefined;
  const cut = setTimeout(() => {
    server.closeAllConnections();
    // What is still shaking hands is no connection yet, and is one a moment later.
    again = setInterval(() => server.closeAllConnections(), 50);
  }, graceMs);
  await closed;
  clearTimeout(cut);
  clearInterval(again);
}
