/** What every way of asking people has in common: a channel is one file that makes a {@link Channel}. */
import type { ApprovalPhase } from '../../../crds/control.ts';
import type { Notification } from '../../../crds/notification.ts';
import { GatehouseError } from '../../../lib/errors.ts';
import type { ApprovalRequest } from '../object.ts';

/** One thing to tell. */
export interface Notice<T> {
  readonly request: ApprovalRequest;
  /** Approved, too, for a call that has run since. */
  readonly phase: ApprovalPhase;
  /** The entry of `notify`. */
  readonly target: T;
  /** What the channel called its message when it was told first; absent the first time. */
  readonly ref: string | undefined;
  /** An earlier attempt may have arrived: the message says so where the receiver cannot tell by itself. */
  readonly mayRepeat: boolean;
  /** Where the request can be decided by whoever signs in. */
  readonly link: string | undefined;
}

export interface Channel<T> {
  /** Resolves once the receiver has taken it, with what it calls the message. Rejects with DeliveryError. */
  tell(notice: Notice<T>): Promise<{ readonly ref?: string }>;
}

type Target<K extends PropertyKey> = Extract<Notification, Record<K, unknown>>[K];
export type SlackTarget = Target<'slack'>;
export type JiraTarget = Target<'jira'>;
export type WebhookTarget = Target<'webhook'>;

/** The channels of an installation; one that is not set up is absent. */
export interface Channels {
  readonly slack?: Channel<SlackTarget> | undefined;
  readonly jira?: Channel<JiraTarget> | undefined;
  readonly webhook: Channel<WebhookTarget>;
}

/** A notice did not arrive, or nobody knows whether it did. */
export class DeliveryError extends GatehouseError {
  readonly code = 'delivery_failed';
  /** The receiver may have taken it all the same. */
  readonly mayHaveArrived: boolean;
  /** What the receiver asked for; milliseconds. */
  readonly retryAfterMs: number;

  constructor(
    message: string,
    more: { mayHaveArrived?: boolean; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.mayHaveArrived = more.mayHaveArrived ?? false;
    this.retryAfterMs = more.retryAfterMs ?? 0;
  }
}

/** Where an entry of `notify` leads, and the entry itself among its like; equal names wait for each other. */
export function destinationOf(target: Notification): string {
  if ('slack' in target) return `slack ${target.slack.channel}`;
  if ('jira' in target) return `jira ${target.jira.project}`;
  // The path may be what proves that one may post there.
  return `webhook ${new URL(target.webhook.url).host}`;
}

/** Tells by whichever channel the entry is for. */
export function tellBy(
  channels: Channels,
  target: Notification,
  notice: Omit<Notice<never>, 'target'>,
): Promise<{ readonly ref?: string }> {
  if ('slack' in target) return theOne(channels.slack, 'slack').tell({ ...notice, target: target.slack });
  if ('jira' in target) return theOne(channels.jira, 'jira').tell({ ...notice, target: target.jira });
  return channels.webhook.tell({ ...notice, target: target.webhook });
}

function theOne<T>(channel: Channel<T> | undefined, name: string): Channel<T> {
  if (channel !== undefined) return channel;
  throw new DeliveryError(`This installation has no ${name}: set notify.${name} in its settings.`);
}
