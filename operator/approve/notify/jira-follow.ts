/** Looks at what became of the issues that were opened: a transition by somebody who is known decides. */
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { Problem } from '../../problem.ts';
import type { Approvals } from '../approvals.ts';
import type { KnownPeople } from '../known-people.ts';
import type { ApprovalRequest, Verdict } from '../object.ts';
import { decideByChannel, type DecideDeps } from './decide.ts';
import { errandsOf, type Errand } from './deliveries.ts';
import type { Jira, Transition } from './jira.ts';
import type { JiraSettings } from './settings.ts';

export interface JiraFollower {
  /** Looks now: a webhook says that something has changed. What it says beside that is not believed. */
  look(): void;
  stop(): Promise<void>;
}

export interface JiraFollowerDeps extends DecideDeps {
  readonly approvals: Pick<Approvals, 'get' | 'decide' | 'list' | 'noteDelivery'>;
  readonly jira: Jira;
  readonly settings: JiraSettings;
  readonly people: KnownPeople;
  readonly leads: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Open {
  readonly request: ApprovalRequest;
  readonly errand: Errand;
  /** The issue. */
  readonly key: string;
}

const EVERY_MS = 15_000;

export function followJira(deps: JiraFollowerDeps): JiraFollower {
  const { clock, log } = deps;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let disarm: () => void = () => undefined;

  const round = async (): Promise<void> => {
    if (!deps.leads()) return;
    const open = openIn(await deps.approvals.list());
    if (open.length === 0) return;
    const statuses = await deps.jira.statuses(open.map(({ key }) => key));
    for (const one of open) {
      const verdict = verdictOf(statuses.get(one.key), deps.settings);
      if (verdict === undefined) continue;
      try {
        await judge(one, verdict, deps);
      } catch (error) {
        warn(error, one.key);
      }
    }
  };
  const warn = (error: unknown, issue?: string): void =>
    log.warn({ issue, reason: sentenceOf(error) }, 'Jira could not be followed; trying again.');
  const run = (): void => {
    disarm();
    if (running !== undefined) {
      again = true;
      return;
    }
    running = round()
      .catch((error: unknown) => warn(error))
      .then(() => {
        running = undefined;
        if (stopped) return;
        disarm = clock.after(again ? 0 : EVERY_MS, run);
        again = false;
      });
  };

  run();
  return {
    look: () => {
      if (!stopped) run();
    },
    stop: async () => {
      stopped = true;
      disarm();
      await running;
    },
  };
}

function openIn(requests: readonly ApprovalRequest[]): Open[] {
  return requests
    .filter(({ status }) => status.phase === 'Pending')
    .flatMap((request) =>
      errandsOf(request).flatMap((errand) => {
        const key = errand.known?.ref;
        return 'jira' in errand.target && key !== undefined ? [{ request, errand, key }] : [];
      }),
    );
}

function verdictOf(status: string | undefined, { approved, denied }: JiraSettings): Verdict | undefined {
  const is = (name: string): boolean => name.toLowerCase() === status?.toLowerCase();
  // A status in both lists is a mistake, which must not approve.
  if (denied.some(is)) return 'Deny';
  return approved.some(is) ? 'Approve' : undefined;
}

async function judge(
  { request, errand, key }: Open,
  verdict: Verdict,
  deps: JiraFollowerDeps,
): Promise<void> {
  const transition = await deps.jira.transition(key);
  if (transition === undefined || errand.known?.seen === transition.id) return;
  // The issue may have moved on since its status was read.
  if (verdictOf(transition.status, deps.settings) !== verdict) return;
  const approval = request.metadata.name;
  const refusal = await decided(approval, { key, transition, verdict }, deps);
  if (refusal === undefined) return;
  // Said once: while the issue stays as it is, it is not judged again.
  await deps.approvals.noteDelivery(approval, errand.channel, (known) => ({
    ...(known ?? { channel: errand.channel, at: new Date(deps.clock.now()).toISOString() }),
    seen: transition.id,
  }));
  await deps.jira.comment(key, `This does not decide the call. ${refusal.message}`);
}

async function decided(
  approval: string,
  { key, transition, verdict }: { key: string; transition: Transition; verdict: Verdict },
  deps: JiraFollowerDeps,
): Promise<Problem | undefined> {
  const by = deps.people.byJira(transition.accountId, transition.email);
  try {
    await decideByChannel({ kind: 'jira', approval, ref: key, verdict, by }, deps);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}
