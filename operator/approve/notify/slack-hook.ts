/** What Slack posts when a button is pressed: believed by its signature, once, while it is fresh. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../../../lib/secret.ts';
import { Problem } from '../../problem.ts';
import type { Verdict } from '../object.ts';
import { APPROVE, DENY } from './slack-blocks.ts';

/** One press of a button that decides. */
export interface Pressed {
  /** Of Slack. */
  readonly user: string;
  /** The message that the button was on, as {@link Slack.tell} refers to it. */
  readonly ref: string;
  readonly channel: string;
  readonly approval: string;
  readonly verdict: Verdict;
}

export interface SignedRequest {
  readonly signature: string | undefined;
  readonly timestamp: string | undefined;
  readonly body: Buffer;
}

/** As Slack advises: older requests may be replays, and clocks differ. */
export const TOLERANCE_MS = 5 * 60_000;
const MAX_SEEN = 10_000;

/** Remembers the signatures that were shown while they are fresh: each is taken once. */
export function createSlackVerifier(now: () => number): (request: SignedRequest, secret: Secret) => void {
  const seen = new Map<string, number>();
  const forget = (): void => {
    for (const [signature, until] of seen) {
      if (until > now() && seen.size <= MAX_SEEN) return;
      seen.delete(signature);
    }
  };
  return ({ signature, timestamp, body }, secret) => {
    const signedAt = /^[0-9]{1,12}$/.test(timestamp ?? '') ? Number(timestamp) * 1000 : Number.NaN;
    if (!(Math.abs(now() - signedAt) <= TOLERANCE_MS)) {
      throw new Problem('unauthenticated', 'The request has no timestamp of the last five minutes.');
    }
    const wanted = createHmac('sha256', secret.reveal())
      .update(`v0:${timestamp}:`)
      .update(body)
      .digest('hex');
    if (!isEqual(signature ?? '', `v0=${wanted}`)) {
      throw new Problem('unauthenticated', 'The signature of the request does not verify.');
    }
    forget();
    if (seen.has(wanted)) throw new Problem('unauthenticated', 'The request was received before.');
    seen.set(wanted, signedAt + TOLERANCE_MS);
  };
}

const payload = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('block_actions'),
    user: z.object({ id: z.string().min(1) }),
    container: z.object({ channel_id: z.string(), message_ts: z.string() }),
    actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).min(1),
  }),
]);

/** Undefined for what decides nothing, as opening the link. Throws a Problem for what is no interaction. */
export function pressedIn(body: Buffer): Pressed | undefined {
  const text = new URLSearchParams(body.toString('utf8')).get('payload') ?? '';
  const parsed = payload.safeParse(jsonOf(text));
  if (!parsed.success) throw new Problem('bad_request', 'The request is no block_actions payload of Slack.');
  const { user, container, actions } = parsed.data;
  const decisive = actions.find(({ action_id: id }) => id === APPROVE || id === DENY);
  if (decisive?.value === undefined) return undefined;
  return {
    user: user.id,
    channel: container.channel_id,
    ref: `${container.channel_id}/${container.message_ts}`,
    approval: decisive.value,
    verdict: decisive.action_id === APPROVE ? 'Approve' : 'Deny',
  };
}

export function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
