/** Values that others than people read are never edited, whatever they look like. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { modernCall, openSession } from '../../fixtures/hand-client.ts';
import { toolText } from '../../fixtures/scripted-server.ts';
import { FAMILIES, startMasked, type Masked } from './masked.ts';
import { complete } from './table.ts';

let masked: Masked;
beforeAll(async () => {
  masked = await startMasked();
});
afterEach(() => masked.world.server.reset());
afterAll(() => masked[Symbol.asyncDispose]());

const ODD = [
  'a b',
  '+/=',
  '%2Fc%C3%A9',
  'é\u2028ﬁ',
  '1e5',
  '{"a":1}',
  'eyJhbGciOiJub25lIn0.e30.',
  'x'.repeat(300),
];

test.for(ODD)('a cursor is not edited, on either way: %j', async (cursor) => {
  for (const family of FAMILIES) {
    masked.world.server.on('tools/list', (heard) =>
      heard.result({ ...complete, tools: [], nextCursor: heard.message.params?.['cursor'] }),
    );
    const answer = await (await masked.ask(family, 'tools/list', { cursor })).text();
    expect(masked.world.server.heard.at(-1)?.message.params).toMatchObject({ cursor });
    expect(JSON.parse(answer)).toMatchObject({ result: { nextCursor: cursor } });
    expect(answer).toContain(`"nextCursor":${JSON.stringify(cursor)}`);
  }
});

test.for([7, 'seven', 'a b/+=é', '00', '{"id":1}'])('an id is not edited: %j', async (id) => {
  const legacy = await masked.session.request('tools/call', { name: 'a' }, { id });
  const modern = await modernCall(masked.way, 'tools/call', { name: 'a' }, { id });
  for (const answer of [legacy, modern]) expect(await answer.text()).toContain(`"id":${JSON.stringify(id)}`);
  expect(masked.world.server.heard.slice(-2).map(({ message }) => message.id)).toEqual([id, id]);
});

test.for(ODD)('a requestState comes back to the server as it left it: %j', async (requestState) => {
  masked.world.server.on('tools/call', (heard) =>
    heard.message.params?.['requestState'] === undefined
      ? heard.result({ resultType: 'input_required', inputRequests: {}, requestState })
      : heard.result(toolText('done')),
  );
  const first = (await (await modernCall(masked.way, 'tools/call', { name: 'a' })).json()) as {
    result: { requestState: string };
  };
  expect(first.result.requestState).not.toContain(requestState);
  const again = { name: 'a', requestState: first.result.requestState, inputResponses: {} };
  expect(await (await modernCall(masked.way, 'tools/call', again)).json()).toMatchObject({
    result: toolText('done'),
  });
  expect(masked.world.server.heard.at(-1)?.message.params).toMatchObject({ requestState });
});

test('the session of the server does not reach the client, nor ours the server', async () => {
  const opened = await openSession(masked.way);
  await opened.request('tools/call', { name: 'a' });
  const upstream = masked.world.server.heard.at(-1)?.headers['mcp-session-id'];
  expect(upstream).toMatch(/^upstream-/);
  expect(opened.id).not.toContain(String(upstream));
});

test.for(['progressToken', 'relatedTask'] as const)('%s is not edited', async (kind) => {
  const token = 'tok en/+=é';
  const _meta =
    kind === 'progressToken'
      ? { progressToken: token }
      : { 'io.modelcontextprotocol/related-task': { taskId: token } };
  masked.world.server.on('tools/call', (heard) => heard.result({ ...toolText('done'), _meta }));
  for (const family of FAMILIES) {
    const answer = await masked.ask(family, 'tools/call', { name: 'a' });
    expect(await answer.json()).toMatchObject({ result: { _meta } });
  }
});
