/** Every place of what clients send: what the proxy holds does not reach the server through a caller. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventsOf, modernCall } from '../../fixtures/hand-client.ts';
import { plantedIn } from '../../fixtures/planted.ts';
import { toolText } from '../../fixtures/scripted-server.ts';
import { FAMILIES, SECRET, shown, startMasked, type Masked, type Row } from './masked.ts';

let masked: Masked;
beforeAll(async () => {
  masked = await startMasked();
});
afterEach(() => masked.world.server.reset());
afterAll(() => masked[Symbol.asyncDispose]());

const CALLED: readonly (readonly [method: string, base: Record<string, unknown>, rows: readonly Row[]])[] = [
  [
    'tools/call',
    { name: 'a', arguments: {} },
    [
      ['name', 'withheld'],
      ['arguments.a.b[0]', 'replaced'],
      ['arguments.*', 'replaced'],
      ['vendor.x', 'replaced'],
    ],
  ],
  ['resources/read', { uri: 'a:b' }, [['uri', 'withheld']]],
  [
    'prompts/get',
    { name: 'a' },
    [
      ['name', 'withheld'],
      ['arguments.x', 'replaced'],
    ],
  ],
  [
    'completion/complete',
    { ref: { type: 'ref/resource', uri: 'a:{b}' }, argument: { name: 'x', value: 'y' } },
    [
      ['ref.uri', 'withheld'],
      ['argument.value', 'replaced'],
      ['context.arguments.x', 'replaced'],
    ],
  ],
  ['tools/list', {}, [['cursor', 'withheld']]],
];

const rows = CALLED.flatMap(([method, base, paths]) =>
  paths.flatMap(([path, fate]) => FAMILIES.map((family) => [method, path, fate, family, base] as const)),
);
test.for(rows)('%s: %s is %s (%s)', async ([method, path, fate, family, base]) => {
  const params = plantedIn(base, path, SECRET);
  const before = masked.world.server.heard.length;
  const answer = await (await masked.ask(family, method, params)).text();
  const heard = masked.world.server.heard.slice(before);
  expect(
    heard.map(({ body, headers }) => body + JSON.stringify(headers['mcp-name'] ?? '')).join(),
  ).not.toContain(SECRET);
  if (fate === 'withheld')
    expect([heard, answer]).toEqual([[], expect.stringContaining('The call was not forwarded: ') as unknown]);
  else expect(heard[0]?.message.params).toMatchObject(shown(params) as object);
});

test.for([
  [
    'sampling/createMessage',
    { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } },
    ['content.text', 'model'],
  ],
  ['elicitation/create', { action: 'accept', content: {} }, ['content.x', 'content.*']],
  ['roots/list', { roots: [{ uri: 'file:///a', name: 'a' }] }, ['roots[0].uri', 'roots[0].name']],
] as const)('legacy: what is answered to %s is masked', async ([method, base, paths]) => {
  for (const path of paths) {
    const result = plantedIn(base, path, SECRET);
    const back = masked.world.server.arrival('response');
    masked.world.server.on('tools/call', async ({ message, stream }) => {
      const sent = stream();
      sent.send({ id: 'ask-1', method, params: { message: 'hi', messages: [] } });
      await back;
      sent.send({ id: message.id, result: toolText('done') });
      sent.end();
    });
    const events = eventsOf(await masked.session.request('tools/call', { name: 'a' }));
    const asked = await events.next();
    expect((await masked.session.send({ id: asked?.message?.id, result })).status).toBe(202);
    expect((await back).message).toMatchObject({ id: 'ask-1', result: shown(result) });
    await events.rest();
    masked.world.server.reset();
  }
});

test.for([
  ['a.content.x', 'replaced'],
  ['a.*', 'replaced'],
  ['*', 'withheld'],
] as const)('modern: inputResponses.%s is %s', async ([path, fate]) => {
  const inputResponses = plantedIn({}, path, SECRET);
  const before = masked.world.server.heard.length;
  await modernCall(masked.way, 'tools/call', { name: 'a', inputResponses });
  const heard = masked.world.server.heard.slice(before);
  if (fate === 'withheld') expect(heard).toEqual([]);
  else expect(heard[0]?.message.params).toMatchObject({ inputResponses: shown(inputResponses) });
});
