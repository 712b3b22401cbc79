import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { person, ruling } from '../../../test/fixtures/approval.ts';
import { startJira, type JiraIssue, type JiraServer } from '../../../test/fixtures/channels/jira.ts';
import { startNotifyingDesk, type Desk } from '../../../test/fixtures/channels/notifying.ts';

const alice = { id: 'account-alice', email: 'alice@acme.test' };
/** Jira shows no address of his. */
const bob = { id: 'account-bob' };

let directory: string;
let jira: JiraServer;
let desk: Desk;

async function start(project = 'OPS'): Promise<void> {
  desk = await startNotifyingDesk({
    notify: [{ jira: { project } }],
    settings: {
      jira: {
        ...{ url: jira.url, email: jira.email, tokenFile: join(directory, 'token') },
        webhookSecretFile: join(directory, 'secret'),
      },
    },
  });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-jira-'));
  jira = await startJira();
  await writeFile(join(directory, 'token'), jira.token);
  await writeFile(join(directory, 'secret'), jira.webhookSecret);
  await start();
});

afterEach(async () => {
  await desk[Symbol.asyncDispose]();
  expect(jira.complaints).toEqual([]);
  await jira[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const told = async (id: string) => (await desk.get(id)).status.notified?.[0];
const phaseOf = async (id: string): Promise<string> => (await desk.get(id)).status.phase;
/** Jira is looked at every fifteen seconds; a request must not expire while a slow machine does so. */
const SECONDS = 500;

async function asked(): Promise<{ id: string; issue: JiraIssue }> {
  const id = await desk.open();
  await desk.until(async () => expect((await told(id))?.state).toBe('Told'));
  const issue = jira.issues.at(-1);
  if (issue === undefined) throw new Error('There is no issue.');
  return { id, issue };
}

describe('an issue', () => {
  test('says who wants what and why, and how to decide', async () => {
    const { id, issue } = await asked();
    expect(issue).toMatchObject({ key: 'OPS-1', labels: ['gatehouse', `gatehouse-${id}`] });
    expect(issue.summary).toBe(`Approve query of sam at orders? (${id})`);
    for (const part of [
      'sam (staff;',
      'deletes rows (70)',
      '+ sql: DELETE FROM orders WHERE id = 7',
      'move this issue to Approved',
    ])
      expect(issue.description).toContain(part);
    expect((await told(id))?.ref).toBe('OPS-1');
  });

  test('is told what became of the request', async () => {
    const { id, issue } = await asked();
    await desk.approvals.decide(id, ruling(person('alice'), 'Deny', 'not today'));
    await desk.until(() =>
      expect(issue.comments.join()).toMatch(/Denied: .* by alice .* via api: not today/),
    );
    const other = await asked();
    desk.clock.advance(16 * 60_000);
    await desk.until(() => expect(other.issue.comments.join()).toContain('Expired'));
    expect(jira.issues).toHaveLength(2);
  });

  test('is made once, even where the answer was lost', async () => {
    let lost = 0;
    jira.instead = (path, response) => {
      if (path !== '/rest/api/3/issue' || lost > 0) return false;
      lost += 1;
      // Jira made it, and the connection broke.
      jira.instead = undefined;
      response.socket?.destroy();
      return true;
    };
    const id = await desk.open();
    await desk.until(async () => expect((await told(id))?.state).toBe('Sending'));
    jira.issues.push({
      ...{ key: 'OPS-9', project: 'OPS', summary: '', description: '', labels: [`gatehouse-${id}`] },
      ...{ status: 'To Do', comments: [], histories: [] },
    });
    await desk.until(async () => expect(await told(id)).toMatchObject({ state: 'Told', ref: 'OPS-9' }), 500);
    expect(jira.issues).toHaveLength(1);
  });

  test('that cannot be made leaves the reason in the state', async () => {
    await desk[Symbol.asyncDispose]();
    await start('NONE');
    const id = await desk.open();
    await desk.until(async () =>
      expect((await told(id))?.error).toBe('Jira answered with HTTP status 400: valid project is required.'),
    );
    expect(await phaseOf(id)).toBe('Pending');
  });
});

describe('a transition', () => {
  test('decides for whoever the installation knows by account or by address', async () => {
    const one = await asked();
    const other = await asked();
    jira.move(one.issue, 'Approved', bob);
    jira.move(other.issue, 'Rejected', alice);
    await desk.until(async () => {
      expect(await phaseOf(one.id)).toBe('Approved');
      expect(await phaseOf(other.id)).toBe('Denied');
    }, SECONDS);
    expect((await desk.get(one.id)).spec.decisions).toMatchObject([{ by: 'bob', via: 'jira' }]);
    await desk.until(
      () => expect(one.issue.comments.join()).toContain('Approved: the call runs, once.'),
      SECONDS,
    );
  });

  test('that a webhook reports is looked at at once; a webhook that is not signed reports nothing', async () => {
    const { id, issue } = await asked();
    expect(await jira.tell(`${desk.hooks}/jira`, issue, 'guessed')).toBe(401);
    jira.move(issue, 'Approved', alice);
    expect(await jira.tell(`${desk.hooks}/jira`, issue)).toBe(204);
    await desk.until(async () => expect(await phaseOf(id)).toBe('Approved'));
  });

  test.each([
    [
      'of whom nobody knows',
      { id: 'account-x', email: 'x@acme.test' },
      'Nobody has told Gatehouse who you are',
    ],
    ['of who made the call', { id: 'account-sam', email: 'sam@acme.test' }, 'sam made this call'],
    [
      'with the address of somebody whose account is another',
      { id: 'x', email: 'bob@acme.test' },
      'Nobody has told',
    ],
  ])('%s decides nothing, and the issue says so, once', async (_who, by, sentence) => {
    const { id, issue } = await asked();
    jira.move(issue, 'Approved', by);
    await desk.until(() => expect(issue.comments.join()).toContain(sentence), SECONDS);
    desk.clock.advance(60_000);
    await jira.tell(`${desk.hooks}/jira`, issue);
    await desk.until(async () => expect((await told(id))?.seen).toBe(issue.histories[0]?.id), SECONDS);
    expect(issue.comments).toHaveLength(1);
    expect(await phaseOf(id)).toBe('Pending');
    // A later one of somebody else does.
    jira.move(issue, 'To Do', alice);
    jira.move(issue, 'Approved', alice);
    await desk.until(async () => expect(await phaseOf(id)).toBe('Approved'), SECONDS);
  });

  test.each(['app', 'customer'] as const)('of an account of type %s decides nothing', async (type) => {
    const { id, issue } = await asked();
    jira.move(issue, 'Approved', { ...alice, type });
    await jira.tell(`${desk.hooks}/jira`, issue);
    desk.clock.advance(60_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await phaseOf(id)).toBe('Pending');
  });

  test('that somebody undid before it was seen decides nothing; the last one counts', async () => {
    const { id, issue } = await asked();
    jira.move(issue, 'Approved', alice);
    jira.move(issue, 'Denied', { id: 'account-x' });
    await desk.until(() => expect(issue.comments.join()).toContain('Nobody has told'), SECONDS);
    expect(await phaseOf(id)).toBe('Pending');
  });

  test('while Jira is down counts when it is back, also for an operator that was started anew', async () => {
    const { id, issue } = await asked();
    jira.instead = (_path, response) => {
      response.writeHead(503, { 'retry-after': '1' }).end();
      return true;
    };
    jira.move(issue, 'Approved', alice);
    desk.clock.advance(60_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await phaseOf(id)).toBe('Pending');
    await desk.restart();
    jira.instead = undefined;
    await desk.until(async () => expect(await phaseOf(id)).toBe('Approved'), SECONDS);
    expect(jira.issues).toHaveLength(1);
  });
});
