import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, eventsOf, modernCall, openSession, type Way } from '../fixtures/hand-client.ts';
import type { SentStream } from '../fixtures/scripted-server.ts';
import { edit, rewrite, startWorld, statusOf, type World } from './world.ts';

const ACCESS = [{ authenticated: true, tools: ['first'] }];

let world: World;
let ana: Way;
beforeAll(async () => {
  world = await startWorld({ spec: { access: ACCESS } });
  ana = await world.as('ana');
});
afterEach(() => world.server.reset());
afterAll(() => world[Symbol.asyncDispose]());

async function reaches(tool: string): Promise<boolean> {
  const answer = await answerOf(await modernCall(ana, 'tools/call', { name: tool }));
  return answer.error === undefined;
}

const note = (data: string): object => ({ method: 'notifications/message', params: { level: 'info', data } });

describe('an edit', () => {
  test('is in force within a second, and no connection is dropped for it', async () => {
    const opened = Promise.withResolvers<SentStream>();
    world.server.on('GET', (heard) => opened.resolve(heard.stream()));
    const session = await openSession(ana);
    const events = eventsOf(await session.get());
    const stream = await opened.promise;
    stream.send(note('before'));
    await events.next();

    expect(await reaches('second')).toBe(false);
    const since = performance.now();
    await rewrite(world.gatehouse, (manifests) => manifests.replace('- first', '- second'));
    while (!(await reaches('second'))) expect(performance.now() - since).toBeLessThan(5000);
    const took = performance.now() - since;
    expect(await reaches('first')).toBe(false);

    stream.send(note('after'));
    expect((await events.next())?.message?.params).toMatchObject({ data: 'after' });
    const named = await answerOf(await session.request('tools/call', { name: 'second' }));
    expect(named.result).toBeDefined();
    await events.cancel();
    expect(took).toBeLessThan(1000);
  });

  test('that masks more masks what a stream that was open before still brings', async () => {
    const opened = Promise.withResolvers<SentStream>();
    world.server.on('GET', (heard) => opened.resolve(heard.stream()));
    const events = eventsOf(await (await openSession(ana)).get());
    const stream = await opened.promise;
    await edit(
      world,
      (manifests) => `${manifests}---
apiVersion: gatehouse.dev/v1alpha1
kind: MaskingPolicy
metadata: { name: later }
spec:
  targetRefs: [{ kind: McpGateway, name: main }]
  detectors: [{ name: badge, pattern: 'B-[0-9]{4}' }]
`,
    );
    stream.send(note('badge B-1234'));
    expect((await events.next())?.message?.params).toMatchObject({ data: 'badge [REDACTED:badge]' });
    await events.cancel();
  });

  test('with a mistake is refused with a sentence, and what was in force stays', async () => {
    const { gateways } = await statusOf(world.gatehouse);
    await rewrite(world.gatehouse, (manifests) =>
      manifests.replace('authenticated: true', 'authenticatd: true'),
    );
    await expect
      .poll(async () => (await statusOf(world.gatehouse)).problems.join())
      .toContain('authenticatd');
    const [problem = ''] = (await statusOf(world.gatehouse)).problems;
    expect(problem).toMatch(/manifests\.yaml.*access.*authenticatd/);
    await world.gatehouse.child.printed(/manifests have a mistake.*|mistake.*in force stays/);
    expect(world.gatehouse.child.output()).toContain('authenticatd');
    expect((await statusOf(world.gatehouse)).gateways.map(({ revision }) => revision)).toEqual(
      gateways.map(({ revision }) => revision),
    );
    expect(await reaches('second')).toBe(true);
    await rewrite(world.gatehouse, (manifests) =>
      manifests.replace('authenticatd: true', 'authenticated: true'),
    );
    await expect.poll(async () => (await statusOf(world.gatehouse)).problems).toEqual([]);
  });

  test('that adds a gateway serves it under its name, and taking it away ends it', async () => {
    await edit(world, (manifests) => {
      const [main = ''] = manifests.split('---\n');
      return `${manifests}---\n${main.replace('name: main', 'name: other').replace('- second', '- third')}`;
    });
    const other = { ...ana, url: new URL('/default/other/mcp', world.url).href };
    const main = { ...ana, url: new URL('/default/main/mcp', world.url).href };
    const tool = async (way: Way, name: string): Promise<unknown> =>
      (await answerOf(await modernCall(way, 'tools/call', { name }))).error?.code;
    expect(await tool(other, 'third')).toBeUndefined();
    expect(await tool(other, 'second')).toBe(-32602);
    expect(await tool(main, 'second')).toBeUndefined();
    const session = await openSession(other);

    await rewrite(world.gatehouse, (manifests) => manifests.slice(0, manifests.lastIndexOf('---\n')));
    await expect.poll(async () => (await modernCall(other, 'tools/list')).status).toBe(404);
    expect((await session.request('ping')).status).toBe(404);
    expect(await reaches('second')).toBe(true);
  });
});
