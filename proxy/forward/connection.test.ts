import { expect, test } from 'vitest';
import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import { Connection } from './connection.ts';

const outgoing = z.object({
  id: z.number().optional(),
  method: z.string(),
  params: z
    .object({ requestId: z.unknown().optional(), _meta: z.record(z.string(), z.unknown()).optional() })
    .optional(),
});

function setUp() {
  const sent: z.infer<typeof outgoing>[] = [];
  const connection = new Connection({
    send: (text) => {
      sent.push(outgoing.parse(JSON.parse(text)));
      return Promise.resolve();
    },
    close: () => undefined,
  });
  const open = new AbortController();
  const call = (id: string | number, params: object = {}, cancelOnAbort = true) =>
    connection.call(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }), {
      id,
      signal: open.signal,
      headers: {},
      cancelOnAbort,
    });
  return { connection, sent, call, open };
}
const texts = async (events: AsyncIterable<{ data: string }>) =>
  (await Array.fromAsync(events)).map((event): unknown => JSON.parse(event.data));

test('two clients with one id each get their own answer, under the id they used', async () => {
  const { connection, sent, call } = setUp();
  const [first, second] = [await call(1), await call('1')];
  connection.receive(JSON.stringify({ jsonrpc: '2.0', id: sent[1]?.id, result: { of: 'second' } }));
  connection.receive(JSON.stringify({ jsonrpc: '2.0', id: sent[0]?.id, result: { of: 'first' } }));
  expect(await texts(first)).toEqual([{ jsonrpc: '2.0', id: 1, result: { of: 'first' } }]);
  expect(await texts(second)).toEqual([{ jsonrpc: '2.0', id: '1', result: { of: 'second' } }]);
});

test('progress finds the call whose token it was, though both used the same', async () => {
  const { connection, sent, call } = setUp();
  const calls = [
    await call(1, { _meta: { progressToken: 'p' } }),
    await call(2, { _meta: { progressToken: 'p' } }),
  ];
  const token = sent[1]?.params?._meta?.['progressToken'];
  connection.receive(
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: token, progress: 1 },
    }),
  );
  for (const { id } of sent) connection.receive(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
  const [one, two] = await Promise.all(calls.map(texts));
  expect(one).toHaveLength(1);
  expect(two?.[0]).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: 'p', progress: 1 },
  });
});

test('a subscription is told by the id of the listen request, with its type', async () => {
  const { connection, sent, call } = setUp();
  const key = 'io.modelcontextprotocol/subscriptionId';
  const listening = await call('7');
  const note = {
    jsonrpc: '2.0',
    method: 'notifications/tools/list_changed',
    params: { _meta: { [key]: sent[0]?.id } },
  };
  connection.receive(JSON.stringify(note));
  connection.receive(
    JSON.stringify({ jsonrpc: '2.0', id: sent[0]?.id, result: { _meta: { [key]: sent[0]?.id } } }),
  );
  expect(await texts(listening)).toEqual([
    { ...note, params: { _meta: { [key]: '7' } } },
    { jsonrpc: '2.0', id: '7', result: { _meta: { [key]: '7' } } },
  ]);
});

test('what belongs to no call goes to the stream of its own', async () => {
  const { connection } = setUp();
  connection.receive(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }));
  connection.receive(JSON.stringify({ jsonrpc: '2.0', id: 99, result: { nobody: 'asked' } }));
  connection.close();
  expect(await texts(connection.unsolicited)).toHaveLength(2);
});

test('a cancellation reaches the server under the id that it knows', async () => {
  const { connection, sent, call, open } = setUp();
  await call('mine');
  await connection.post(
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'mine' } }),
    {},
  );
  expect(sent[1]?.params?.requestId).toBe(sent[0]?.id);
  open.abort();
  expect(sent[2]).toMatchObject({ method: 'notifications/cancelled', params: { requestId: sent[0]?.id } });
});

test('when the server is gone, whoever waits is told, and nobody waits again', async () => {
  const { connection, call } = setUp();
  const waiting = await call(1);
  connection.fail(new Refusal('upstream_unavailable', 'gone'));
  await expect(texts(waiting)).rejects.toThrow('gone');
  await expect(call(2)).rejects.toThrow('gone');
});
