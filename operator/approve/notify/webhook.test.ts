import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { Notification } from '../../../crds/notification.ts';
import { person, ruling } from '../../../test/fixtures/approval.ts';
import { startHookReceiver, type HookReceiver } from '../../../test/fixtures/channels/hook-receiver.ts';
import { startNotifyingDesk, type Desk } from '../../../test/fixtures/channels/notifying.ts';
import { portOf } from '../../../test/fixtures/mcp/listen.ts';

let receiver: HookReceiver;
let desk: Desk;

const to = (url: string, name = 'hook', key = 'secret'): Notification => ({
  webhook: { url, secretRef: { name, key } },
});

async function start(notify: readonly Notification[], settings: object = {}): Promise<void> {
  desk = await startNotifyingDesk({
    notify,
    settings,
    secrets: { hook: { secret: receiver.secret }, weak: { secret: 'whsec_c2hvcnQ=' } },
  });
}

beforeEach(async () => {
  receiver = await startHookReceiver();
});

afterEach(async () => {
  await desk[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const told = async (id: string, n = 0) => (await desk.get(id)).status.notified?.[n];

test('a receiver verifies what it is told with the official library, and is told of the decision too', async () => {
  await start([to(receiver.url)]);
  const id = await desk.open();
  await desk.until(async () => expect((await told(id))?.state).toBe('Told'));
  await desk.approvals.decide(id, ruling(person('alice'), 'Approve', 'agreed'));
  await desk.until(() => expect(receiver.received).toHaveLength(2));
  const [asked, decided] = receiver.received;
  expect(asked).toMatchObject({
    id: `${id}.pending`,
    event: {
      type: 'approval.requested',
      data: {
        ...{ id, gateway: 'tools/orders', rule: 'tools/destructive-sql', phase: 'Pending' },
        requester: { username: 'sam' },
        call: { tool: 'query', risk: 70, preview: '{"sql":"DELETE FROM orders WHERE id = 7"}' },
        link: `https://gatehouse.test/console/approvals/${id}`,
      },
    },
  });
  expect(decided?.event).toMatchObject({
    type: 'approval.approved',
    data: { decisions: [{ by: 'alice', verdict: 'Approve', comment: 'agreed' }] },
  });
  expect(receiver.refused).toEqual([]);
});

test('a repeat has the id of the first, by which the receiver knows it', async () => {
  await start([to(receiver.url)]);
  receiver.instead = (response) => {
    response.writeHead(500).end();
    receiver.instead = undefined;
    return true;
  };
  const id = await desk.open();
  await desk.until(async () => expect((await told(id))?.state).toBe('Told'), 500);
  await desk.restart();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(receiver.received.map((one) => one.id)).toEqual([`${id}.pending`]);
});

test('a request that ended before anybody was asked is told to nobody', async () => {
  await start([to(receiver.url)]);
  receiver.instead = (response) => {
    response.writeHead(503).end();
    return true;
  };
  const id = await desk.open();
  await desk.until(async () => expect((await told(id))?.state).toBe('Failed'));
  await desk.approvals.cancel(id);
  receiver.instead = undefined;
  desk.clock.advance(600_000);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(receiver.received).toEqual([]);
});

test('one channel that never answers does not hold up another', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  await start([to(`http://127.0.0.1:${portOf(silent)}/`), to(receiver.url), { slack: { channel: '#dba' } }]);
  const ids = [await desk.open(), await desk.open(), await desk.open(), await desk.open()];
  await desk.until(async () => {
    for (const id of ids) {
      expect((await told(id, 1))?.state ?? (await desk.get(id)).status.notified).toBe('Told');
    }
  });
  const { notified = [] } = (await desk.get(ids[0] ?? '')).status;
  expect(notified.map(({ channel }) => channel.replace(/[0-9]+$/, 'PORT')).sort()).toEqual([
    '1: webhook 127.0.0.1:PORT',
    '2: webhook 127.0.0.1:PORT',
    '3: slack #dba',
  ]);
  expect(notified.find(({ channel }) => channel.startsWith('3'))?.error).toBe(
    'This installation has no slack: set notify.slack in its settings.',
  );
  silent.closeAllConnections();
  silent.close();
});

describe('nothing is sent', () => {
  const refusals: [string, Notification, string][] = [
    [
      'to a host that is not allowed',
      to('https://internal.example/admin'),
      'does not allow webhooks to internal.example',
    ],
    [
      'to the name of an allowed host with something around it',
      to('https://hooks.example.evil.example/'),
      'does not allow',
    ],
    [
      'to another port of an allowed host',
      to('https://hooks.example:6443/'),
      'does not allow webhooks to hooks.example:6443',
    ],
    ['to the metadata of a cloud', to('https://169.254.169.254/latest'), 'does not allow'],
    ['without a secret', to('https://hooks.example/', 'hook', 'other'), 'There is no "other" in'],
    [
      'with a secret that is not there',
      to('https://hooks.example/', 'missing'),
      'missing.json cannot be read',
    ],
    ['with a weak secret', to('https://hooks.example/', 'weak'), 'at least 24 bytes'],
  ];
  test.each(refusals)('%s', async (_why, target, sentence) => {
    await start([target], { webhook: { allow: ['hooks.example', '*.corp.example'] } });
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.error).toContain(sentence));
    expect(JSON.stringify((await desk.get(id)).status)).not.toContain('latest');
  });

  test('where a redirect leads', async () => {
    const hits: string[] = [];
    const inner = createServer((request, response) => {
      hits.push(request.url ?? '');
      response.end();
    }).listen(0, '127.0.0.1');
    await once(inner, 'listening');
    await start([to(receiver.url)]);
    receiver.instead = (response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${portOf(inner)}/secret` }).end();
      return true;
    };
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.error).toContain('HTTP status 307'));
    expect(hits).toEqual([]);
    inner.close();
  });
});
