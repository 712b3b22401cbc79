/** Which channels have yet to be told something. What was told is compared with how the request stands. Pure. */
import type { Delivery } from '../../../crds/approval-request.ts';
import type { ApprovalPhase } from '../../../crds/control.ts';
import type { Notification } from '../../../crds/notification.ts';
import type { ApprovalRequest } from '../object.ts';
import { destinationOf } from './channel.ts';

/** One entry of a request's `notify`. */
export interface Errand {
  readonly target: Notification;
  /** Names the entry in status.notified. */
  readonly channel: string;
  readonly known: Delivery | undefined;
}

export function errandsOf({ spec, status }: ApprovalRequest): readonly Errand[] {
  return (spec.notify ?? []).map((target, index) => {
    const channel = `${index + 1}: ${destinationOf(target)}`;
    return { target, channel, known: status.notified?.find((entry) => entry.channel === channel) };
  });
}

/** That an approved call has run is no further news to those who were asked. */
export function phaseToTell({ status }: ApprovalRequest): ApprovalPhase {
  return status.phase === 'Consumed' ? 'Approved' : status.phase;
}

/** A request that ended before anybody was asked needs no telling. */
export function isDue(request: ApprovalRequest, { known }: Errand): boolean {
  const phase = phaseToTell(request);
  if (known?.phase === undefined) return phase === 'Pending';
  return known.phase !== phase;
}

/** An attempt begins: should it never end, this says that it was made. */
export function begun(known: Delivery | undefined, about: { channel: string; at: string }): Delivery {
  return {
    ...about,
    ...lasting(known),
    ...(known?.phase !== undefined && { phase: known.phase }),
    ...{ state: 'Sending', attempts: (known?.attempts ?? 0) + 1 },
  };
}

export function toldNow(
  known: Delivery | undefined,
  about: { channel: string; phase: ApprovalPhase; at: string; ref: string | undefined },
): Delivery {
  const { channel, phase, at, ref } = about;
  return {
    ...lasting(known),
    ...(ref !== undefined && { ref }),
    channel,
    phase,
    at,
    state: 'Told',
    attempts: 0,
  };
}

/** What an entry keeps, whatever is told next. */
function lasting(known: Delivery | undefined): Pick<Delivery, 'ref' | 'seen'> {
  return {
    ...(known?.ref !== undefined && { ref: known.ref }),
    ...(known?.seen !== undefined && { seen: known.seen }),
  };
}

const MAX_ERROR = 1000;

/** What may have arrived all the same is still on its way, as far as anybody knows. */
export function failedNow(
  known: Delivery | undefined,
  about: { channel: string; at: string; error: string; mayHaveArrived: boolean },
): Delivery {
  const { channel, at, mayHaveArrived } = about;
  const before = known ?? { channel, attempts: 1 };
  return {
    ...before,
    state: mayHaveArrived ? 'Sending' : 'Failed',
    at,
    error: about.error.slice(0, MAX_ERROR),
  };
}
