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

/** What is on its way when the operator ends has so long to arrive. */
const GRACE_MS = 2_000;

export function startNotifying(deps: NotifyingDeps): Notifying {
  const { settings, clock } = deps;
  const closing = new AbortController();
  // Whoever does not answer must not keep an operator from ending; what was on its way is marked as such.
  const fetch: Fetch = (url, init) =>
    deps.fetch(url, { ...init, signal: AbortSignal.any([closing.signal, ...signalsIn(init)]) });
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
      const disarm = clock.after(GRACE_MS, () => closing.abort());
      await Promise.all([notifier.stop(), follower?.stop()]);
      disarm();
    },
  };
}

function signalsIn(init: Parameters<Fetch>[1]): AbortSignal[] {
  return init?.signal === undefined || init.signal === null ? [] : [init.signal];
}
