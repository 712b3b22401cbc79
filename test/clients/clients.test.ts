/** Unchanged official clients and servers that nobody here wrote, over every transport, with the proxy between them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gatehouse, type Manifest, startGatehouse } from '../fixtures/gatehouse.ts';
import {
  everythingCommand,
  type RunningServer,
  startConformanceServer,
  startEverything,
} from '../fixtures/servers.ts';
import { connectV1, connectV2, type OfficialClient, type Over } from './clients.ts';

interface Side {
  readonly name: string;
  readonly over: Over;
  /** `spec.server`, and what has to run for it. */
  readonly start: () => Promise<{ server: Record<string, unknown>; running?: RunningServer }>;
}

const sides: readonly Side[] = [
  {
    name: 'Streamable HTTP',
    over: 'HTTP',
    start: async () => {
      const running = await startEverything('streamableHttp');
      return { server: { url: running.url }, running };
    },
  },
  {
    name: 'HTTP+SSE',
    over: 'SSE',
    start: async () => {
      const running = await startEverything('sse');
      return { server: { url: running.url, transport: 'SSE' }, running };
    },
  },
  {
    name: 'stdio',
    over: 'HTTP',
    start: () => Promise.resolve({ server: { transport: 'Stdio', command: everythingCommand() } }),
  },
];

function openToAll(server: Record<string, unknown>): Manifest {
  return {
    kind: 'McpGateway',
    metadata: { name: 'everything' },
    spec: {
      server,
      identity: [{ name: 'anyone', anonymous: {} }],
      access: [{ anonymous: true, tools: ['*'], prompts: ['*'], resources: ['*'], methods: ['*'] }],
    },
  };
}

describe.each(sides)('server-everything over $name', ({ over, start }) => {
  let running: RunningServer | undefined;
  let gatehouse: Gatehouse;

  beforeAll(async () => {
    const started = await start();
    running = started.running;
    gatehouse = await startGatehouse(() => [openToAll(started.server)], {
      path: over === 'SSE' ? '/sse' : '/mcp',
    });
  });
  afterAll(async () => {
    await gatehouse.child.stop();
    await gatehouse[Symbol.asyncDispose]();
    await running?.[Symbol.asyncDispose]();
  });

  const clients: [string, () => Promise<OfficialClient>][] = [
    ['SDK 1.x', () => connectV1(gatehouse.url, over)],
    ['SDK 2.x', () => connectV2(gatehouse.url, over)],
    ['SDK 2.x that would rather speak 2026-07-28', () => connectV2(gatehouse.url, over, 'auto')],
  ];

  test.for(clients)('%s lists tools, calls them and hears of progress', async ([, connect]) => {
    await using client = await connect();
    expect(await client.toolNames()).toContain('echo');
    expect(await client.call('echo', { message: 'grüße 🚪 "quoted" \\ 9007199254740993' })).toContain(
      'grüße 🚪 \\"quoted\\" \\\\ 9007199254740993',
    );
    const seen: number[] = [];
    const done = await client.call(
      'trigger-long-running-operation',
      { duration: 0.6, steps: 3 },
      (progress) => seen.push(progress),
    );
    expect(done).toContain('completed');
    // Over SSE the SDK drops progress that comes in one read with the result, with or without a proxy.
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen).toEqual([1, 2, 3].slice(0, seen.length));
  });

  test('two clients at once do not hear each other', async () => {
    await using first = await connectV1(gatehouse.url, over);
    await using second = await connectV2(gatehouse.url, over);
    const calls = Array.from({ length: 12 }, (_, index) => {
      const [client, name] = index % 2 === 0 ? [first, 'first'] : [second, 'second'];
      return client
        .call('echo', { message: `${name}-${index}` })
        .then((text) => ({ text, want: `${name}-${index}` }));
    });
    for (const { text, want } of await Promise.all(calls)) expect(text).toContain(want);
  });
});

describe('the fixture server, which asks back', () => {
  let server: RunningServer;
  let gatehouse: Gatehouse;

  beforeAll(async () => {
    server = await startConformanceServer();
    gatehouse = await startGatehouse(() => [openToAll({ url: server.url, mayAsk: ['Elicitation'] })]);
  });
  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test.for([
    ['SDK 1.x', () => connectV1(gatehouse.url, 'HTTP')],
    ['SDK 2.x', () => connectV2(gatehouse.url, 'HTTP')],
  ] as [string, () => Promise<OfficialClient>][])(
    '%s answers an elicitation within a call',
    async ([, connect]) => {
      await using client = await connect();
      expect(await client.call('test_elicitation', { message: 'Who are you?' })).toContain(
        'ana@example.test',
      );
    },
  );

  test('what was pinned for one revision is there for the others', async () => {
    await using first = await connectV1(gatehouse.url, 'HTTP');
    await using second = await connectV2(gatehouse.url, 'HTTP', 'auto');
    const names = await first.toolNames();
    expect(names.length).toBeGreaterThan(10);
    const both = (await second.toolNames()).filter((name) => names.includes(name));
    expect(both.length).toBeGreaterThan(10);
    const status: unknown = await (await fetch(`${gatehouse.admin}/v1/status`)).json();
    expect(JSON.stringify(status)).not.toContain('has changed since it was accepted');
  });

  test('SDK 2.x agrees on 2026-07-28 and answers in rounds', async () => {
    await using client = await connectV2(gatehouse.url, 'HTTP', 'auto');
    expect(client.revision).toBe('2026-07-28');
    expect(await client.call('test_input_required_result_elicitation')).toContain('Hello, Ana!');
    expect(await client.call('test_input_required_result_request_state')).toContain('state-ok');
    expect(await client.call('test_input_required_result_multi_round')).toContain('You like green.');
  });

  test('SDK 1.x comes back for an answer whose stream was closed before it', async () => {
    await using client = await connectV1(gatehouse.url, 'HTTP');
    expect(await client.call('test_reconnection')).toContain('Answered after the stream was closed.');
  });
});
