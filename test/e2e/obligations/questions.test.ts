/** What a server asks of clients passes where the gateway lets it, and nowhere else. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  answerOf,
  eventsOf,
  LEGACY,
  messageOf,
  modernCall,
  openSession,
  type Revision,
  type Way,
} from '../../fixtures/hand-client.ts';
import { type Heard, type Script, toolText } from '../../fixtures/scripted-server.ts';
import { recordOf } from '../records.ts';
import { startWorld, type World } from '../world.ts';

const META = 'io.modelcontextprotocol/clientCapabilities';
const EVERYTHING = { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } };
const SECRET = ['lent', 'to', 'nobody', '4711'].join('-');

let closed: World;
let open: World;
let ana: Way;
let bea: Way;
beforeAll(async () => {
  [closed, open] = await Promise.all([
    startWorld(),
    startWorld({
      server: { mayAsk: ['Elicitation'] },
      spec: {
        credentials: [
          {
            name: 'backend',
            source: { devFile: { path: 'backend.json' } },
            inject: { server: { header: { name: 'X-Api-Key', value: '{{ key }}' } } },
          },
        ],
      },
      files: { 'backend.json': JSON.stringify({ key: SECRET }) },
    }),
  ]);
  [ana, bea] = [await closed.as('ana'), await open.as('bea')];
});
afterEach(() => {
  closed.server.reset();
  open.server.reset();
});
afterAll(() => Promise.all([closed[Symbol.asyncDispose](), open[Symbol.asyncDispose]()]));

/** Asks on the stream of the call, and answers the call with what it heard. */
function asking(world: World, method: string, params: object = {}): Script {
  return async (heard) => {
    const back = world.server.arrival('response');
    const stream = heard.stream();
    stream.send({ id: 'ask-1', method, params });
    stream.send({ id: heard.message.id, result: toolText(JSON.stringify((await back).message)) });
    stream.end();
  };
}

const asText = z.looseObject({ content: z.tuple([z.looseObject({ text: z.string() })]) });

/** What the server heard back, and every method that reached the client. */
async function asked(
  way: Way,
  revision: Revision,
): Promise<{ heard: unknown; reached: (string | undefined)[] }> {
  const session = await openSession(way, revision);
  const events = await eventsOf(await session.request('tools/call', { name: 'a' })).rest();
  const { content } = asText.parse(events.at(-1)?.message?.result);
  return {
    heard: JSON.parse(content[0].text),
    reached: events.slice(0, -1).map(({ message }) => message?.method),
  };
}

describe.each(LEGACY)('%s', (revision) => {
  test.for(['sampling/createMessage', 'roots/list', 'vendor/ask'])(
    '%s is answered with an error, and the client hears nothing',
    async (method) => {
      closed.server.on('tools/call', asking(closed, method));
      const { heard, reached } = await asked(ana, revision);
      expect(reached).toEqual([]);
      expect(heard).toMatchObject({ id: 'ask-1', error: { code: 4403 } });
    },
  );

  test('elicitation/create is declined, as a person would', async () => {
    closed.server.on('tools/call', asking(closed, 'elicitation/create', { message: 'Your password?' }));
    const { heard, reached } = await asked(ana, revision);
    expect(reached).toEqual([]);
    expect(heard).toMatchObject({ id: 'ask-1', result: { action: 'decline' } });
  });

  test('a ping passes', async () => {
    closed.server.on('tools/call', (heard) => {
      const stream = heard.stream();
      stream.send({ id: 'alive', method: 'ping' });
      stream.send({ id: heard.message.id, result: toolText('done') });
      stream.end();
    });
    const session = await openSession(ana, revision);
    const events = eventsOf(await session.request('tools/call', { name: 'a' }));
    expect((await events.next())?.message).toMatchObject({ id: 'alive', method: 'ping' });
    await events.rest();
  });

  test('the server is told of no feature that it may not use', async () => {
    await openSession(ana, revision, {
      ...EVERYTHING,
      tasks: { requests: { sampling: { createMessage: {} }, tools: { call: {} } } },
      experimental: { n: 1 },
    });
    expect(capabilitiesHeard(closed)).toEqual({
      tasks: { requests: { tools: { call: {} } } },
      experimental: { n: 1 },
    });
    await openSession(bea, revision, EVERYTHING);
    expect(capabilitiesHeard(open)).toEqual({ elicitation: EVERYTHING.elicitation });
  });

  test('what is allowed passes, with masks in its URL, and nothing beside it', async () => {
    const url = `https://pay.example/authorize?session=${SECRET}`;
    open.server.on('tools/call', async (heard) => {
      const back = open.server.arrival('response');
      const stream = heard.stream();
      stream.send({ id: 1, method: 'roots/list' });
      await back;
      const answered = open.server.arrival('response');
      const params = { mode: 'url', elicitationId: 'e1', message: 'Pay here', url };
      stream.send({ id: 2, method: 'elicitation/create', params });
      stream.send({ id: heard.message.id, result: toolText(JSON.stringify((await answered).message)) });
      stream.end();
    });
    const session = await openSession(bea, revision);
    const events = eventsOf(await session.request('tools/call', { name: 'a' }));
    const question = await events.next();
    expect(question?.message).toMatchObject({ id: 2, method: 'elicitation/create' });
    expect(question?.data).toContain('https://pay.example/authorize?session=');
    expect(question?.data).not.toContain(SECRET);
    await session.send({ id: 2, result: { action: 'accept' } });
    expect((await events.next())?.data).toContain('accept');
  });
});

test('the event stream of a GET is no way around', async () => {
  const back = closed.server.arrival('response');
  closed.server.on('GET', (heard) => {
    const stream = heard.stream();
    stream.send({ id: 9, method: 'sampling/createMessage', params: {} });
    stream.send({ method: 'notifications/tools/list_changed' });
  });
  const session = await openSession(ana);
  const events = eventsOf(await session.get());
  expect((await events.next())?.message?.method).toBe('notifications/tools/list_changed');
  expect((await back).message).toMatchObject({ id: 9, error: { code: 4403 } });
  await events.cancel();
});

test('2025-11-25: an error that sends the client to a URL is withheld', async () => {
  const answer = (heard: Heard): void =>
    heard.send(
      200,
      'application/json',
      JSON.stringify({
        jsonrpc: '2.0',
        id: heard.message.id,
        error: {
          code: -32042,
          message: 'Go there',
          data: {
            elicitations: [{ mode: 'url', elicitationId: 'e', url: 'https://evil.example/', message: '' }],
          },
        },
      }),
    );
  closed.server.on('tools/call', answer);
  open.server.on('tools/call', answer);
  const text = async (way: Way): Promise<string> =>
    JSON.stringify(await answerOf(await (await openSession(way)).request('tools/call', { name: 'a' })));
  expect(await text(ana)).toContain('"isError":true');
  expect(await text(ana)).not.toContain('evil.example');
  expect(await text(bea)).toContain('https://evil.example/');
});

describe('2026-07-28', () => {
  const questions = {
    'sampling/createMessage': { messages: [], maxTokens: 5 },
    'elicitation/create': { mode: 'url', message: 'There', url: 'https://evil.example/' },
    'roots/list': {},
    'vendor/ask': {},
  };
  const inputRequired =
    (...methods: (keyof typeof questions)[]): Script =>
    (heard) =>
      heard.result({
        resultType: 'input_required',
        requestState: 'mine',
        inputRequests: Object.fromEntries(
          methods.map((method, index) => [`q${index}`, { method, params: questions[method] }]),
        ),
      });

  test.for(Object.keys(questions) as (keyof typeof questions)[])(
    'a result that asks for %s is withheld, in words a model can read',
    async (method) => {
      closed.server.on('tools/call', inputRequired(method));
      const { result } = await messageOf(await modernCall(ana, 'tools/call', { name: 'a' }));
      expect(result).toMatchObject({ resultType: 'complete', isError: true });
      expect(JSON.stringify(result)).not.toContain('evil.example');
      expect(result).not.toHaveProperty('inputRequests');
    },
  );

  test('one question among allowed ones is enough', async () => {
    open.server.on('tools/call', inputRequired('elicitation/create', 'sampling/createMessage'));
    const refused = await messageOf(await modernCall(bea, 'tools/call', { name: 'a' }));
    expect(refused.result).toMatchObject({ isError: true });
    open.server.on('tools/call', inputRequired('elicitation/create'));
    const passed = await messageOf(await modernCall(bea, 'tools/call', { name: 'a' }));
    expect(passed.result).toMatchObject({ inputRequests: { q0: { method: 'elicitation/create' } } });
  });

  test('nor does it pass with its key written otherwise, or as something that is no object', async () => {
    for (const [key, value] of [
      ['input\\u0052equests', '{"q":{"method":"roots/list"}}'],
      ['inputRequests', '[{"method":"roots/list"}]'],
      ['inputRequests', '{"q":"roots/list"}'],
    ]) {
      closed.server.on('tools/call', (heard) =>
        heard.send(
          200,
          'application/json',
          `{"jsonrpc":"2.0","id":${JSON.stringify(heard.message.id)},"result":{"resultType":"input_required","${key}":${value}}}`,
        ),
      );
      const { result } = await messageOf(await modernCall(ana, 'tools/call', { name: 'a' }));
      expect(result, key).toMatchObject({ isError: true });
    }
  });

  test('what has no isError gets an error', async () => {
    closed.server.on('prompts/get', inputRequired('roots/list'));
    const { error } = await messageOf(await modernCall(ana, 'prompts/get', { name: 'p' }));
    expect(error?.code).toBe(4403);
  });

  test('the server is told of no feature that it may not use', async () => {
    await modernCall(ana, 'tools/call', { name: 'a' }, { meta: { [META]: EVERYTHING } });
    expect(closed.server.heard.at(-1)?.message.params).toMatchObject({ _meta: { [META]: {} } });
    expect(closed.server.heard.at(-1)?.body).not.toMatch(/sampling|elicitation|roots/);
    await modernCall(bea, 'tools/call', { name: 'a' }, { meta: { [META]: EVERYTHING } });
    expect(open.server.heard.at(-1)?.body).toMatch(/"elicitation":\{"form":\{\},"url":\{\}\}/);
    expect(open.server.heard.at(-1)?.body).not.toMatch(/sampling|roots/);
  });
});

test('what was refused is in the record', async () => {
  closed.server.on('tools/call', asking(closed, 'sampling/createMessage'));
  await asked(ana, '2025-11-25');
  const noticed = async (): Promise<unknown> =>
    (await recordOf(closed.gatehouse)).find(
      ({ type, event }) => type === 'notice' && String(event['reason']).includes('sampling/createMessage'),
    )?.event['code'];
  await expect.poll(noticed, { timeout: 20_000 }).toBe('message_dropped');
});

function capabilitiesHeard({ server }: World): unknown {
  const opened = server.heard.findLast(({ message }) => message.method === 'initialize');
  return opened?.message.params?.['capabilities'];
}
