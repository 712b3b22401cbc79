/** A decision that came by a channel: of a person whom the installation knows, on a message that Gatehouse sent. */
import type { Bundle } from '../../../crds/bundle.ts';
import type { NotificationKind } from '../../../crds/notification.ts';
import { Problem } from '../../problem.ts';
import type { Approvals } from '../approvals.ts';
import { personAt, type KnownPerson } from '../known-people.ts';
import { gatewayOf, type Verdict } from '../object.ts';
import { errandsOf } from './deliveries.ts';

export interface ChannelRuling {
  readonly kind: Exclude<NotificationKind, 'webhook'>;
  readonly approval: string;
  /** The message that was answered. */
  readonly ref: string;
  readonly verdict: Verdict;
  /** Undefined where nothing says who the account belongs to. */
  readonly by: KnownPerson | undefined;
}

export interface DecideDeps {
  readonly approvals: Pick<Approvals, 'get' | 'decide'>;
  readonly bundles: { bundle(gateway: string): Bundle | undefined };
  readonly onDecision: (verdict: Verdict) => void;
}

/** Throws a Problem, whose sentence is for the person, for what may not be. */
export async function decideByChannel(ruling: ChannelRuling, deps: DecideDeps): Promise<void> {
  const { kind, approval, ref, verdict, by } = ruling;
  const request = await deps.approvals.get(approval);
  if (!errandsOf(request).some(({ target, known }) => kind in target && known?.ref === ref)) {
    throw new Problem('not_allowed', `This message does not decide on ${approval}.`);
  }
  if (by === undefined) {
    throw new Problem(
      'not_approver',
      `Nobody has told Gatehouse who you are (approvers.people of the installation), so you cannot decide here.`,
    );
  }
  const person = personAt(deps.bundles.bundle(gatewayOf(request)), by);
  await deps.approvals.decide(approval, { person, verdict, via: kind, comment: undefined });
  deps.onDecision(verdict);
}
