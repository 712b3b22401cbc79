/** Two relays that the comparison is tried with: one that changes nothing, one that gathers what it should stream. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { portOf } from '../fixtures/mcp/listen.ts';

export interface Relay extends AsyncDisposable {
  readonly url: string;
}

/** Hands every byte on as it comes. */
export function startFaithfulRelay(upstream: string): Promise<Relay> {
  return startRelay(upstream, (answer, res) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    res.flushHeaders();
    answer.pipe(res);
  });
}

/** Waits for the whole answer, and hands on nothing but its status, type and body: the session is lost. */
export function startFaultyRelay(upstream: string): Promise<Relay> {
  return startRelay(upstream, (answer, res) => {
    void buffer(answer).then(
      (body) => {
        res.writeHead(answer.statusCode ?? 502, {
          'content-type': answer.headers['content-type'] ?? 'text/plain',
        });
        res.end(body);
      },
      () => res.destroy(),
    );
  });
}

async function startRelay(
  upstream: string,
  answerWith: (answer: IncomingMessage, res: ServerResponse) => void,
): Promise<Relay> {
  const server = createServer((req, res) => {
    const onward = request(upstream, { method: req.method, headers: req.headers }, (answer) =>
      answerWith(answer, res),
    );
    onward.once('error', () => res.destroy());
    res.once('close', () => onward.destroy());
    req.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}${new URL(upstream).pathname}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
