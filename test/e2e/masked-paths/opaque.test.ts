/** Values that others than people read are never edited, whatever they look like. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { modernCall, openSession } from '../../fixtures/hand-client.ts';
import { toolText } from '../../fixtures/scripted-server.ts';
import { recordOf } from '../records.ts';
import { FAMILIES, SECRET, startMasked, type Masked } from './masked.ts';
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

describe('a cursor that may not leave, or looks like it', () => {
  let preset: Masked;
  beforeAll(async () => {
    preset = await startMasked([
      {
        kind: 'MaskingPolicy',
        metadata: { name: 'presets' },
        spec: {
          targetRefs: [{ kind: 'McpGateway', name: 'main' }],
          direction: 'Both',
          detectors: [{ preset: 'Credentials' }, { preset: 'PersonalData' }],
        },
      },
    ]);
  });
  afterAll(() => preset[Symbol.asyncDispose]());

  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = [
    part({ alg: 'HS256', typ: 'JWT' }),
    part({ page: 2, iat: 1_700_000_000 }),
    'x'.repeat(43),
  ].join('.');

  test.for([
    ['a token of a list', jwt],
    ['an address', 'after=person@company.example'],
    ['a value that the proxy holds', `p2-${SECRET}`],
  ])('%s is sealed, and comes back to the server as it left it', async ([, cursor]) => {
    for (const family of FAMILIES) {
      preset.world.server.on('tools/list', (heard) =>
        heard.result({
          ...complete,
          tools: [{ name: 'keep', inputSchema: { type: 'object' } }],
          nextCursor: cursor,
        }),
      );
      const first = await (await preset.ask(family, 'tools/list')).text();
      expect(first).not.toContain(cursor);
      expect(first).not.toContain(SECRET);
      const { result } = JSON.parse(first) as { result: { tools: unknown[]; nextCursor: string } };
      expect(result.tools).toHaveLength(1);
      const again = await preset.ask(family, 'tools/list', { cursor: result.nextCursor });
      expect(await again.text()).toContain('"keep"');
      expect(preset.world.server.heard.at(-1)?.message.params).toMatchObject({ cursor });

      // It is that caller's alone.
      const other = await preset.world.as('eve');
      const stolen =
        family === 'modern'
          ? await modernCall(other, 'tools/list', { cursor: result.nextCursor })
          : await (await openSession(other)).request('tools/list', { cursor: result.nextCursor });
      expect(await stolen.text()).toContain('issued to another caller');
    }
    const record = JSON.stringify(await recordOf(preset.world.gatehouse));
    expect(record).not.toContain(cursor);
  });
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
