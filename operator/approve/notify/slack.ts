/** Slack: a message with buttons, which is replaced when the request is decided, and what a pressed button means. */
import { z } from 'zod';
import { plainText } from '../../../lib/plain-text.ts';
import { DeliveryError, type Channel, type Notice, type SlackTarget } from './channel.ts';
import { ask, refused, type Answer, type Fetch } from './http.ts';
import { readSecret } from './secret-files.ts';
import type { SlackSettings } from './settings.ts';
import { fallbackOf, slackBlocks } from './slack-blocks.ts';

export interface Slack extends Channel<SlackTarget> {
  /** The e-mail address of a member of the workspace, where it is confirmed; undefined for guests from elsewhere. */
  emailOf(user: string): Promise<string | undefined>;
  /** Says something that only this user sees. */
  whisper(channel: string, user: string, text: string): Promise<void>;
}

const answer = z.object({ ok: z.boolean(), error: z.string().optional() });
const posted = z.object({ channel: z.string().min(1), ts: z.string().min(1) });
const identity = z.object({ team_id: z.string().min(1) });
const member = z.object({
  user: z.object({
    id: z.string(),
    team_id: z.string().optional(),
    deleted: z.boolean().default(false),
    is_bot: z.boolean().default(false),
    is_stranger: z.boolean().default(false),
    is_email_confirmed: z.boolean().default(true),
    profile: z.object({ email: z.string().optional() }),
  }),
});

/** `ref` of a message is `channel/ts`, by which chat.update finds it. */
export function createSlack(
  settings: SlackSettings,
  deps: { readonly fetch: Fetch; readonly now: () => number },
): Slack {
  let team: string | undefined;
  const call = async <T>(method: string, schema: z.ZodType<T>, input: Input): Promise<T> => {
    const token = await readSecret(settings.tokenFile);
    const query = 'query' in input ? `?${new URLSearchParams(input.query).toString()}` : '';
    const reply = await ask(
      {
        method: 'body' in input ? 'POST' : 'GET',
        url: new URL(`${settings.apiUrl}/${method}${query}`),
        headers: {
          authorization: `Bearer ${token.reveal()}`,
          ...('body' in input && { 'content-type': 'application/json; charset=utf-8' }),
        },
        ...('body' in input && { body: JSON.stringify(input.body) }),
      },
      deps,
    );
    return read(method, reply, schema);
  };
  const ownTeam = async (): Promise<string> =>
    (team ??= (await call('auth.test', identity, { body: {} })).team_id);

  return {
    tell: async (notice) => {
      const message = messageOf(notice, settings.signingSecretFile !== undefined);
      const [channel, ts] = notice.ref?.split('/') ?? [];
      if (channel === undefined || ts === undefined) {
        const sent = await call('chat.postMessage', posted, {
          body: { channel: notice.target.channel, unfurl_links: false, unfurl_media: false, ...message },
        });
        return { ref: `${sent.channel}/${sent.ts}` };
      }
      await call('chat.update', z.unknown(), { body: { channel, ts, ...message } });
      return {};
    },
    emailOf: async (id) => {
      const { user } = await call('users.info', member, { query: { user: id } });
      const isOurs = user.id === id && user.team_id === (await ownTeam());
      const isPerson = !user.deleted && !user.is_bot && !user.is_stranger;
      // Whoever runs another workspace says what its members' addresses are.
      return isOurs && isPerson && user.is_email_confirmed ? user.profile.email : undefined;
    },
    whisper: async (channel, user, text) => {
      await call('chat.postEphemeral', z.unknown(), { body: { channel, user, text: escaped(text) } });
    },
  };
}

type Input = { readonly body: object } | { readonly query: Record<string, string> };

function messageOf(notice: Notice<SlackTarget>, canDecide: boolean): { text: string; blocks: object[] } {
  return { text: escaped(fallbackOf(notice)), blocks: slackBlocks(notice, canDecide) };
}

/** Slack says what went wrong in the body, mostly with status 200. */
function read<T>(method: string, reply: Answer, schema: z.ZodType<T>): T {
  const said = answer.safeParse(reply.json);
  if (reply.status !== 200 || !said.success) throw refused(`Slack's ${method}`, reply, said.data?.error);
  if (!said.data.ok) {
    const { retryAfterMs } = reply;
    throw new DeliveryError(`Slack's ${method} refused: ${plainText(said.data.error ?? 'no reason')}.`, {
      retryAfterMs,
    });
  }
  const parsed = schema.safeParse(reply.json);
  if (parsed.success) return parsed.data;
  throw new DeliveryError(`Slack's ${method} answered in an unknown form.`, { mayHaveArrived: true });
}

/** In mrkdwn, these three alone begin something. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
