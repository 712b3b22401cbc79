import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { demand, person, ruling } from '../../../test/fixtures/approval.ts';
import {
  startSlack,
  TEAM,
  type SlackMessage,
  type SlackServer,
} from '../../../test/fixtures/channels/slack.ts';
import { startNotifyingDesk, type Desk } from '../../../test/fixtures/channels/notifying.ts';

let directory: string;
let slack: SlackServer;
let desk: Desk;

async function open(count = 1): Promise<void> {
  desk = await startNotifyingDesk({
    notify: [{ slack: { channel: '#dba' } }],
    count,
    settings: {
      slack: {
        apiUrl: slack.apiUrl,
        tokenFile: join(directory, 'token'),
        signingSecretFile: join(directory, 'signing'),
      },
    },
  });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-slack-'));
  slack = await startSlack();
  await writeFile(join(directory, 'token'), `${slack.token}\n`);
  await writeFile(join(directory, 'signing'), slack.signingSecret);
  for (const name of ['alice', 'bob', 'sam', 'mallory', 'nobody']) {
    slack.users.set(`U${name}`, { email: `${name}@acme.test` });
  }
  await open();
});

afterEach(async () => {
  await desk[Symbol.asyncDispose]();
  await slack[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function asked(): Promise<{ id: string; message: SlackMessage }> {
  const id = await desk.open();
  await desk.until(async () => expect((await told(id))?.state).toBe('Told'));
  const message = slack.messages.at(-1);
  if (message === undefined) throw new Error('There is no message.');
  return { id, message };
}
const told = async (id: string) => (await desk.get(id)).status.notified?.[0];
const phaseOf = async (id: string): Promise<string> => (await desk.get(id)).status.phase;
const press = (message: SlackMessage, user: string, action: 'Approve' | 'Deny', more: object = {}) =>
  slack.press(`${desk.hooks}/slack`, { message, user, action, ...more });
const whispered = (said: string) =>
  desk.until(() => expect(slack.whispers.map(({ text }) => text).join()).toContain(said));

describe('a message', () => {
  test('says who wants what and why, with buttons, as the documentation and the official client have it', async () => {
    const { id, message } = await asked();
    const text = JSON.stringify(message.blocks);
    for (const part of [
      'sam (staff; groups: support, dba)',
      'deletes rows (70)',
      'rule tools/destructive-sql',
    ])
      expect(text).toContain(part);
    expect(text).toContain('+ sql: DELETE FROM orders WHERE id = 7');
    expect(text).toContain(`https://gatehouse.test/console/approvals/${id}`);
    expect(message.text).toBe(`A call waits for approval: ${id}`);
    expect(slack.complaints).toEqual([]);
    // The same server takes what Slack's own client sends, so what it checks is not ours alone.
    const client = new WebClient(slack.token, { slackApiUrl: `${slack.apiUrl}/` });
    const { blocks, ...rest } = message;
    expect((await client.chat.postMessage({ channel: '#dba', text: rest.text, blocks })).ok).toBe(true);
    expect((await client.chat.update({ ...rest, blocks })).ok).toBe(true);
    expect((await client.users.info({ user: 'Ualice' })).user?.profile?.email).toBe('alice@acme.test');
    expect((await client.auth.test()).team_id).toBe(TEAM);
    expect(slack.complaints).toEqual([]);
  });

  test('shows what a caller wrote as text, whatever it would be in mrkdwn or a terminal', async () => {
    const preview = JSON.stringify({ sql: '```\n<!channel> *approved by security* \u202e\u001b[2J' });
    await desk.approvals.demand({ ...demand, call: { ...demand.call, preview, digest: 'e'.repeat(64) } });
    await desk.until(() => expect(slack.messages).toHaveLength(1));
    const [message] = slack.messages;
    const elements = message?.blocks.flatMap((one) => (one.type === 'rich_text' ? one.elements : [])) ?? [];
    expect(elements.at(-1)?.type).toBe('rich_text_preformatted');
    expect(JSON.stringify(elements.at(-1))).toContain('<!channel> *approved by security*');
    expect(JSON.stringify(message)).not.toMatch(/\u202e|\\u001b/);
    expect(message?.text).not.toContain('channel>');
  });

  test('is replaced when the request is decided elsewhere, expires, or its caller goes', async () => {
    const decided = await asked();
    await desk.approvals.decide(decided.id, ruling(person('alice'), 'Deny', 'not today'));
    const cancelled = await asked();
    await desk.approvals.cancel(cancelled.id);
    await desk.until(() => {
      const texts = slack.messages.map(({ text }) => text);
      expect(texts[0]).toBe(`Denied: ${decided.id}`);
      expect(texts[1]).toMatch(/^Cancelled/);
    });
    expect(JSON.stringify(decided.message.blocks)).toContain('by alice at');
    expect(decided.message.blocks.map(({ type }) => type)).not.toContain('actions');
    const expiring = await asked();
    desk.clock.advance(16 * 60_000);
    await desk.until(async () =>
      expect(await told(expiring.id)).toMatchObject({ phase: 'Expired', state: 'Told', attempts: 0 }),
    );
    expect(expiring.message.text).toMatch(/^Expired/);
    expect(slack.messages).toHaveLength(3);
  });
});

describe('a pressed button', () => {
  test('decides for whoever the installation knows by their address', async () => {
    const { id, message } = await asked();
    expect(await press(message, 'Ualice', 'Approve')).toBe(200);
    await desk.until(async () => expect(await phaseOf(id)).toBe('Approved'));
    expect((await desk.get(id)).spec.decisions).toMatchObject([
      { by: 'alice', subject: 'sub-alice', verdict: 'Approve', via: 'slack' },
    ]);
    await desk.until(() => expect(message.text).toBe(`Approved: ${id}`));
  });

  test('counts once for a person, and two people are two', async () => {
    await desk[Symbol.asyncDispose]();
    await open(2);
    const { id, message } = await asked();
    await press(message, 'Ualice', 'Approve');
    await desk.until(async () => expect((await desk.get(id)).spec.decisions).toHaveLength(1));
    await press(message, 'Ualice', 'Approve', { ahead: 1 });
    await whispered('alice has decided on');
    expect(await phaseOf(id)).toBe('Pending');
    await press(message, 'Ubob', 'Approve');
    await desk.until(async () => expect(await phaseOf(id)).toBe('Approved'));
  });

  test.each([
    ['who made the call', 'Usam', 'sam made this call'],
    ['whom nobody has mapped', 'Unobody', 'Nobody has told Gatehouse who you are'],
    ['whom the gateway does not know', 'Umallory', 'does not know people of https://elsewhere.test'],
  ])('of somebody %s decides nothing, and they are told', async (_who, user, sentence) => {
    const { id, message } = await asked();
    expect(await press(message, user, 'Approve')).toBe(200);
    await whispered(sentence);
    expect(slack.whispers[0]?.user).toBe(user);
    expect(await phaseOf(id)).toBe('Pending');
  });

  test.each([
    ['of another workspace', { team: 'T0ELSEWHERE' }],
    ['with an address that is not confirmed', { confirmed: false }],
  ])('of a user %s decides nothing, whatever their address says', async (_who, change) => {
    const { id, message } = await asked();
    slack.users.set('Uguest', { email: 'alice@acme.test', ...change });
    await press(message, 'Uguest', 'Approve');
    await whispered('Nobody has told Gatehouse');
    expect(await phaseOf(id)).toBe('Pending');
  });

  test('with a forged signature, or an old or a future one, or sent again, is refused', async () => {
    const { id, message } = await asked();
    const deny = (more: object) => press(message, 'Ualice', 'Deny', more);
    expect(await deny({ secret: 'guessed' })).toBe(401);
    expect(await deny({ ahead: -301 })).toBe(401);
    expect(await deny({ ahead: 302 })).toBe(401);
    expect(await phaseOf(id)).toBe('Pending');
    // A clock that is off by less is forgiven.
    expect(await deny({ ahead: -200, times: 2 })).toBe(401);
    await desk.until(async () => expect(await phaseOf(id)).toBe('Denied'));
    expect((await desk.get(id)).spec.decisions).toHaveLength(1);
  });

  test('of a message that Gatehouse did not send for it decides nothing', async () => {
    const one = await asked();
    const other = await asked();
    const blocks = one.message.blocks;
    await press({ ...other.message, blocks }, 'Ualice', 'Approve');
    await whispered('This message does not decide on');
    expect([await phaseOf(one.id), await phaseOf(other.id)]).toEqual(['Pending', 'Pending']);
  });

  test('after the request expired decides nothing', async () => {
    const { id, message } = await asked();
    const before = { ...message };
    desk.clock.advance(16 * 60_000);
    await desk.until(() => expect(message.text).toMatch(/^Expired/));
    await press(before, 'Ualice', 'Approve', { ahead: 16 * 60 });
    await whispered('has expired');
    expect(await phaseOf(id)).toBe('Expired');
  });

  test('is nothing without the signature headers or a payload', async () => {
    const response = await fetch(`${desk.hooks}/slack`, { method: 'POST', body: 'payload={}' });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('when Slack', () => {
  test('is down, it is tried again until it is back; the state says so meanwhile', async () => {
    slack.instead = (_method, response) => {
      response.writeHead(503).end();
      return true;
    };
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.attempts).toBeGreaterThanOrEqual(2), 500);
    expect(await told(id)).toMatchObject({ channel: '1: slack #dba' });
    await desk.until(async () => expect((await told(id))?.state).toBe('Failed'), 500);
    expect((await told(id))?.error).toContain('HTTP status 503');
    slack.instead = undefined;
    await desk.until(async () => expect((await told(id))?.state).toBe('Told'), 500);
    expect(slack.messages).toHaveLength(1);
    // What certainly did not arrive is not marked as if it might have.
    expect(JSON.stringify(slack.messages)).not.toContain('Sent again');
  });

  test('asks for patience, it is left alone for that long, other requests included', async () => {
    slack.instead = (_method, response) => {
      response.writeHead(429, { 'retry-after': '40', 'content-type': 'application/json' });
      response.end(JSON.stringify({ ok: false, error: 'ratelimited' }));
      return true;
    };
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.state).toBe('Failed'));
    const second = await desk.open();
    desk.clock.advance(39_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(slack.calls).toEqual(['chat.postMessage']);
    slack.instead = undefined;
    await desk.until(async () => {
      expect([(await told(id))?.state, (await told(second))?.state]).toEqual(['Told', 'Told']);
    }, 500);
    expect(slack.messages).toHaveLength(2);
  });

  test('refuses, the state says why', async () => {
    await writeFile(join(directory, 'token'), 'xoxb-revoked');
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.error).toContain('invalid_auth'));
    await writeFile(join(directory, 'token'), slack.token);
    await desk.until(async () => expect((await told(id))?.state).toBe('Told'), 500);
  });

  test('took the message and never said so, the repeat says that it may be one', async () => {
    const lost: SlackMessage[] = [];
    slack.instead = (method, response) => {
      if (method !== 'chat.postMessage' || lost.length > 0) return false;
      lost.push({ channel: 'CDBA', ts: '1.1', text: '', blocks: [] });
      response.socket?.destroy();
      return true;
    };
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.state).toBe('Told'), 500);
    expect(lost).toHaveLength(1);
    expect(JSON.stringify(slack.messages.at(-1)?.blocks)).toContain('Sent again');
  });
});

describe('an operator that ends', () => {
  test('and starts again asks nobody twice, and goes on where it was', async () => {
    const { id, message } = await asked();
    await desk.restart();
    await desk.until(async () => expect((await told(id))?.state).toBe('Told'));
    expect(slack.messages).toHaveLength(1);
    await press(message, 'Ualice', 'Approve');
    await desk.until(() => expect(message.text).toBe(`Approved: ${id}`));
    expect(slack.calls.filter((method) => method === 'chat.postMessage')).toHaveLength(1);
  });

  test('while Slack is down tells it when both are back', async () => {
    slack.instead = (_method, response) => {
      response.writeHead(503).end();
      return true;
    };
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.state).toBe('Failed'));
    await desk.restart();
    slack.instead = undefined;
    await desk.until(async () => expect((await told(id))?.state).toBe('Told'), 500);
    expect(slack.messages).toHaveLength(1);
  });

  test('to lead tells nobody, and whoever leads then does', async () => {
    desk.leads = false;
    const id = await desk.open();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(slack.calls).toEqual([]);
    desk.lead();
    await desk.until(async () => expect((await told(id))?.state).toBe('Told'));
  });
});
