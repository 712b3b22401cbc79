/** The channels of an installation, and everything that goes on in them. */
import type { Router } from 'express';
import type { Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Approvals } from '../approvals.ts';
import type { KnownPeople } from '../known-people.ts';
import { DeliveryError } from './channel.ts';
import type { DecideDeps } from './decide.ts';
import { createHooks } from './hooks.ts';
import type { Fetch } from './http.ts';
import { followJira } from './jira-follow.ts';
import { createJira } from './jira.ts';
import { startNotifier, type NotifierDeps } from './notifier.ts';
import type { NotifySettings } from './settings.ts';
import { createSlack } from './slack.ts';
import { createWebhook, type WebhookDeps } from './webhook.ts';

export type { Fetch } from './http.ts';
export { NO_CHANNELS, notifySettings, type NotifySettings } from './settings.ts';

export interface NotifyingDeps
  extends Pick<WebhookDeps, 'secretOf' | 'loopback'>, Pick<NotifierDeps, 'leads' | 'linkTo'>, DecideDeps {
  readonly settings: NotifySettings;
  readonly approvals: Approvals;
  readonly people: KnownPeople;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

/** Where nothing is said of it: this process alone tells, and there are no secrets to sign with. */
export const NO_CHANNEL_DEPS: Pick<NotifyingDeps, 'secretOf' | 'loopback' | 'leads' | 'random'> = {
  secretOf: () => Promise.reject(new DeliveryError('There are no secrets here to sign webhooks with.')),
  loopback: false,
  leads: () => true,
  random: Math.random,
};

export interface Notifying {
  /** Where channels report. */
  readonly hooks: Router;
  /** This replica has begun to lead. */
  resync(): void;
  stop(): Promise<void>;
}

export function startNotifying(deps: NotifyingDeps): Notifying {
  const { settings, clock, fetch } = deps;
  const asking = { fetch, now: () => clock.now() };
  const slack = settings.slack && createSlack(settings.slack, asking);
  const jira = settings.jira && createJira(settings.jira, asking);
  const webhook = createWebhook(settings.webhook, { ...asking, ...deps });
  const notifier = startNotifier({ ...deps, channels: { slack, jira, webhook } });
  const follower = jira && settings.jira && followJira({ ...deps, jira, settings: settings.jira });
  return {
    hooks: createHooks({ ...deps, slack, now: asking.now, onJira: () => follower?.look() }),
    resync: () => notifier.resync(),
    stop: async () => {
      await Promise.all([notifier.stop(), follower?.stop()]);
    },
  };
}
