/** A real proxy process whose operator dies during a hold and comes back, with the clocks of the two apart or not. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueAuthority, issueServerLeaf } from '../../lib/certificates.ts';
import { systemClock, type Clock } from '../../lib/clock.ts';
import { listen } from '../../lib/listen.ts';
import { silentLogger } from '../../lib/log.ts';
import { closeServer } from '../../lib/server-close.ts';
import { createApprovals, type Approvals } from '../../operator/approve/approvals.ts';
import { openDirectoryStore } from '../../operator/approve/directory-store.ts';
import { createAppliedBoard } from '../../operator/publish/applied-board.ts';
import { createBundleBoard } from '../../operator/publish/bundle-board.ts';
import { createControlApi } from '../../operator/publish/control-api.ts';
import { fixedTokens } from '../../operator/publish/identity.ts';
import { person, rule, ruling } from '../fixtures/approval.ts';
import { bundleOf } from '../fixtures/bundle.ts';
import { freePort, startNode, type Child } from '../fixtures/child.ts';
import { answerOf, messageOf, modernCall, openSession, type Way } from '../fixtures/hand-client.ts';
import { startScriptedServer, toolText, type ScriptedServer } from '../fixtures/scripted-server.ts';

const cli = resolve(import.meta.dirname, '../../cli/main.ts');
const validity = { now: Date.now(), days: 1 };
const authority = issueAuthority('root', validity);
const HOUR = 3_600_000;

/** What of the operator holds have to do with, over what it keeps on disk. */
interface LoneOperator {
  readonly approvals: Approvals;
  die(): Promise<void>;
}

let directory: string;
let upstream: ScriptedServer;
let port: number;
let token: string;
let proxy: Child;
let way: Way;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-operator-dies-'));
  upstream = await startScriptedServer();
  port = await freePort();
  token = randomBytes(32).toString('base64url');
  await writeFile(join(directory, 'token'), token);
});

afterEach(async () => {
  await proxy.stop();
  await upstream[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function startOperator(clock: Clock = systemClock): Promise<LoneOperator> {
  const log = silentLogger();
  const board = createBundleBoard();
  board.replace([
    bundleOf({
      server: { transport: 'StreamableHTTP', url: upstream.url, path: '/mcp', passthrough: [] },
      identity: [{ kind: 'anonymous', name: 'anyone' }],
      access: [
        {
          who: {
            ...{ users: [], groups: [], serviceAccounts: [], spiffeIds: [] },
            ...{ authenticated: false, anonymous: true },
          },
          ...{ tools: ['*'], prompts: [], resources: [], methods: [] },
        },
      ],
      rules: [rule],
      recording: { onFailure: 'Allow', retentionMs: 86_400_000 },
      limits: {
        ...bundleOf().limits,
        ...{ maxBodyBytes: 65_536, callTimeoutMs: 60_000, sessionIdleMs: 60_000, callsPerMinute: 10_000 },
      },
    }),
  ]);
  const approvals = createApprovals({
    store: await openDirectoryStore(join(directory, 'approvals'), log),
    ...{ rules: board, clock, log },
    periods: { retentionMs: 86_400_000, runMs: 86_400_000 },
  });
  const sha256 = createHash('sha256').update(token).digest('hex');
  const app = createControlApi({
    ...{ board, applied: createAppliedBoard(), approvals, clock, log },
    reviewer: fixedTokens([{ sha256, identity: { name: 'proxy', gateways: 'all' } }]),
    ...{ roots: () => undefined, onFollower: () => undefined, onTools: () => Promise.resolve() },
  });
  const server: Server = createServer(issueServerLeaf(authority, ['127.0.0.1'], validity), app);
  await listen(server, { host: '127.0.0.1', port });
  return {
    approvals,
    die: async () => {
      await approvals.close();
      server.closeAllConnections();
      await closeServer(server, 0);
    },
  };
}

async function startProxy(): Promise<void> {
  const control = `https://127.0.0.1:${port}`;
  proxy = startNode([cli, 'proxy'], {
    env: {
      GATEHOUSE_LISTEN: '127.0.0.1:0',
      GATEHOUSE_METRICS_LISTEN: '127.0.0.1:0',
      GATEHOUSE_CONTROL_URL: control,
      GATEHOUSE_RECORDER_URL: control,
      GATEHOUSE_CA: authority.cert,
      GATEHOUSE_TOKEN_FILE: join(directory, 'token'),
      GATEHOUSE_STATE_DIR: join(directory, 'state'),
    },
  });
  const [, url = ''] = await proxy.printed(/"listen":"([^"]+)"/);
  way = { url: `${url}/mcp` };
}

/** The one request that waits. */
async function pending({ approvals }: LoneOperator): Promise<string> {
  const find = async (): Promise<string | undefined> =>
    (await approvals.list()).find(({ status }) => status.phase === 'Pending')?.metadata.name;
  await expect.poll(find, { timeout: 20_000 }).toBeDefined();
  return (await find()) ?? '';
}

const call = { name: 'query', arguments: { n: 1 } };
const runs = (): number => upstream.heard.filter(({ message }) => message.method === 'tools/call').length;
const approve = ({ approvals }: LoneOperator, id: string) => approvals.decide(id, ruling(person('dora')));

test('the call goes on waiting, and what is decided afterwards counts', { timeout: 90_000 }, async () => {
  const first = await startOperator();
  await startProxy();
  const session = await openSession(way);
  const waiting = session.request('tools/call', call);
  const id = await pending(first);
  await first.die();
  // Long enough for the proxy to have asked in vain.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(runs()).toBe(0);
  const second = await startOperator();
  expect(await pending(second)).toBe(id);
  await approve(second, id);
  expect((await answerOf(await waiting)).result).toMatchObject(toolText('done'));
  expect(runs()).toBe(1);
  expect((await second.approvals.get(id)).status.phase).toBe('Consumed');
  await second.die();
});

test(
  'what was approved cannot run without it, and runs once when it is back',
  { timeout: 90_000 },
  async () => {
    const first = await startOperator();
    await startProxy();
    const opened = await messageOf(await modernCall(way, 'tools/call', call));
    const requestState = opened.result?.['requestState'];
    const id = await pending(first);
    await approve(first, id);
    await first.die();
    const refused = await messageOf(await modernCall(way, 'tools/call', { ...call, requestState }));
    expect(refused.result).toMatchObject({ isError: true });
    expect(JSON.stringify(refused.result)).toContain('cannot be asked now');
    expect(runs()).toBe(0);
    const second = await startOperator();
    const retries = await Promise.all(
      [1, 2, 3].map(async () => messageOf(await modernCall(way, 'tools/call', { ...call, requestState }))),
    );
    expect(
      retries.filter(({ result }) => result?.['isError'] === undefined && result !== undefined),
    ).toHaveLength(1);
    expect(runs()).toBe(1);
    await second.die();
  },
);

test.for([
  ['two hours behind', -2 * HOUR],
  ['two hours ahead', 2 * HOUR],
] as const)(
  'an operator whose clock is %s holds and lets run all the same',
  { timeout: 90_000 },
  async ([, skew]) => {
    const operator = await startOperator({ ...systemClock, now: () => Date.now() + skew });
    await startProxy();
    const opened = await messageOf(await modernCall(way, 'tools/call', call));
    const requestState = opened.result?.['requestState'];
    expect(typeof requestState).toBe('string');
    await approve(operator, await pending(operator));
    const done = await messageOf(await modernCall(way, 'tools/call', { ...call, requestState }));
    expect(done.result).toMatchObject(toolText('done'));
    const replayed = await messageOf(await modernCall(way, 'tools/call', { ...call, requestState }));
    expect(replayed.error?.code).toBe(-32602);
    expect(runs()).toBe(1);

    const session = await openSession(way);
    const waiting = session.request('tools/call', { ...call, arguments: { n: 2 } });
    await approve(operator, await pending(operator));
    expect((await answerOf(await waiting)).result).toMatchObject(toolText('done'));
    expect(runs()).toBe(2);
    await operator.die();
  },
);
