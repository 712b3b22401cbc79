import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeServer } from '../../lib/server-close.ts';
import { manualClock } from '../../test/fixtures/manual-clock.ts';
import { portOf } from '../../test/fixtures/mcp/listen.ts';
import { EventResponse } from './event-response.ts';

const BEAT = ': keep-alive\n\n';

let server: Server;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => closeServer(server, 0));

/** A client, what it has read so far, and the response that it reads. */
async function open(): Promise<{
  response: ServerResponse;
  next: () => Promise<string>;
  rest: () => Promise<string>;
  hangUp: () => Promise<void>;
}> {
  const arrived = once(server, 'request');
  const fetched = fetch(`http://127.0.0.1:${portOf(server)}/`);
  const response = (await arrived).find(
    (part): part is ServerResponse => typeof part === 'object' && part !== null && 'writeHead' in part,
  );
  if (response === undefined) throw new Error('No request arrived.');
  const reading = fetched.then(({ body }) => {
    if (body === null) throw new Error('The answer has no body.');
    return body.pipeThrough(new TextDecoderStream()).getReader();
  });
  return {
    response,
    next: async () => (await (await reading).read()).value ?? '',
    rest: async () => {
      let text = '';
      for (;;) {
        const { value, done } = await (await reading).read();
        if (done) return text;
        text += value;
      }
    },
    hangUp: async () => {
      const closed = once(response, 'close');
      await (await reading).cancel();
      await closed;
    },
  };
}

test('a silent stream says every 15 s that it is there, until it ends', async () => {
  const clock = manualClock();
  const client = await open();
  const events = new EventResponse(client.response, clock);
  events.begin({});
  clock.advance(14_999);
  clock.advance(1);
  expect(await client.next()).toBe(BEAT);
  await events.write('data: 1\n\n');
  clock.advance(15_000);
  events.end();
  clock.advance(60_000);
  expect(await client.rest()).toBe(`data: 1\n\n${BEAT}`);
});

test('nothing beats on for a client that has hung up', async () => {
  const clock = manualClock();
  const due = new Set<() => void>();
  const after = (ms: number, run: () => void): (() => void) => {
    const cancel = clock.after(ms, run);
    due.add(cancel);
    return () => {
      due.delete(cancel);
      cancel();
    };
  };
  const client = await open();
  const events = new EventResponse(client.response, { ...clock, after });
  events.begin({});
  await events.write('data: 1\n\n');
  await client.next();
  expect(due.size).toBe(1);
  await client.hangUp();
  expect(due.size).toBe(0);
});
