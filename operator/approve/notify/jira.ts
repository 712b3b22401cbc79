/** Jira (REST API v3): an issue for each request, a comment when it is decided, and what became of the issue. */
import { z } from 'zod';
import { plainText } from '../../../lib/plain-text.ts';
import { DeliveryError, type Channel, type JiraTarget } from './channel.ts';
import { ask, refused, type Fetch } from './http.ts';
import { commentOf, descriptionOf, labelOf, summaryOf, textDocument } from './jira-text.ts';
import { readSecret } from './secret-files.ts';
import type { JiraSettings } from './settings.ts';

/** Somebody moved an issue into the status that it has. */
export interface Transition {
  /** Of the change, in the issue's history. */
  readonly id: string;
  readonly status: string;
  readonly accountId: string;
  /** Where Jira shows it. */
  readonly email: string | undefined;
}

export interface Jira extends Channel<JiraTarget> {
  /** The status of each issue that is there. */
  statuses(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Who last moved the issue into the status that it has now; undefined where nobody did, or an app or a customer. */
  transition(key: string): Promise<Transition | undefined>;
  comment(key: string, text: string): Promise<void>;
}

const created = z.object({ key: z.string().min(1) });
const status = z.object({ name: z.string() });
const found = z.object({ issues: z.array(z.object({ key: z.string(), fields: z.object({ status }) })) });
const problems = z.object({
  errorMessages: z.array(z.string()).default([]),
  errors: z.record(z.string(), z.string()).default({}),
});
const issue = z.object({
  fields: z.object({ status }),
  changelog: z.object({
    histories: z.array(
      z.object({
        id: z.string(),
        created: z.string(),
        // An anonymous change has no author.
        author: z
          .object({ accountId: z.string(), accountType: z.string(), emailAddress: z.string().optional() })
          .optional(),
        items: z.array(z.object({ field: z.string(), toString: z.unknown() })),
      }),
    ),
  }),
});

/** What one request of bulkfetch may ask for. */
const MOST_AT_ONCE = 100;

/** `ref` of a message is the issue's key. */
export function createJira(
  settings: JiraSettings,
  deps: { readonly fetch: Fetch; readonly now: () => number },
): Jira {
  const call = async <T>(path: string, schema: z.ZodType<T>, body?: object): Promise<T> => {
    const token = await readSecret(settings.tokenFile);
    const basic = Buffer.from(`${settings.email}:${token.reveal()}`).toString('base64');
    const reply = await ask(
      {
        method: body === undefined ? 'GET' : 'POST',
        url: new URL(`${settings.url}/rest/api/3/${path}`),
        headers: {
          authorization: `Basic ${basic}`,
          accept: 'application/json',
          'content-type': 'application/json',
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
      deps,
    );
    if (reply.status < 200 || reply.status >= 300) throw refused('Jira', reply, reasonIn(reply.json));
    const parsed = schema.safeParse(reply.json);
    if (parsed.success) return parsed.data;
    throw new DeliveryError('Jira answered in an unknown form.', { mayHaveArrived: true });
  };
  const comment: Jira['comment'] = async (key, text) => {
    await call(`issue/${encodeURIComponent(key)}/comment`, z.unknown(), { body: textDocument(text) });
  };
  /** The label tells whether an attempt of which nothing is known has made the issue. */
  const existing = async (id: string): Promise<string | undefined> => {
    const jql = `labels = "${labelOf(id)}"`;
    return (await call('search/jql', found, { jql, fields: ['status'], maxResults: 1 })).issues[0]?.key;
  };

  return {
    comment,
    tell: async (notice) => {
      const { request, ref, target } = notice;
      if (ref !== undefined) {
        await comment(ref, commentOf(notice));
        return {};
      }
      const before = notice.mayRepeat ? await existing(request.metadata.name) : undefined;
      if (before !== undefined) return { ref: before };
      const { key } = await call('issue', created, {
        fields: {
          project: { key: target.project },
          issuetype: { name: settings.issueType },
          summary: summaryOf(request),
          description: descriptionOf(notice, settings),
          labels: ['gatehouse', labelOf(request.metadata.name)],
        },
      });
      return { ref: key };
    },
    statuses: async (keys) => {
      const all = new Map<string, string>();
      for (let from = 0; from < keys.length; from += MOST_AT_ONCE) {
        const issueIdsOrKeys = keys.slice(from, from + MOST_AT_ONCE);
        const { issues } = await call('issue/bulkfetch', found, { issueIdsOrKeys, fields: ['status'] });
        for (const { key, fields } of issues) all.set(key, fields.status.name);
      }
      return all;
    },
    transition: async (key) => {
      const { fields, changelog } = await call(
        `issue/${encodeURIComponent(key)}?fields=status&expand=changelog`,
        issue,
      );
      return lastInto(fields.status.name, changelog.histories);
    },
  };
}

type History = z.infer<typeof issue>['changelog']['histories'][number];

function lastInto(name: string, histories: readonly History[]): Transition | undefined {
  const moves = histories.filter(({ items }) => items.some(({ field }) => field === 'status'));
  const [last] = moves.sort((one, other) => Date.parse(other.created) - Date.parse(one.created));
  const isInto = last?.items.some((item) => item.field === 'status' && item.toString === name) ?? false;
  // Customers of a service desk sign up by themselves, and an app is nobody who could answer for it.
  if (!isInto || last?.author?.accountType !== 'atlassian') return undefined;
  const { accountId, emailAddress } = last.author;
  return { id: last.id, status: name, accountId, email: emailAddress };
}

function reasonIn(json: unknown): string {
  const { errorMessages, errors } = problems.safeParse(json).data ?? { errorMessages: [], errors: {} };
  return plainText([...errorMessages, ...Object.values(errors)].join(' '));
}
