/**
 * Waits for a person where the guard says so (research: a hold a revision allows). Legacy clients wait on an open
 * stream, then get told to ask again; 2026-07-28 clients are sent round by round with a sealed requestState.
 */
import type { ApprovalView } from '#control';
import { concealAt, type Concealed, type Sealer } from '../session/seal.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { Approvals } from '../control/approvals.ts';
import { ControlRefused } from '../control/client.ts';
import { callDigest } from '../engine/digest.ts';
import type { Masking } from '../engine/masking/index.ts';
import type { Authorized, Cleared, ClientRequest, Judgement } from '../exchange.ts';
import { locate } from '../../lib/json/index.ts';
import { Refusal } from '../refusal.ts';
import type { Reply } from '../reply.ts';
import { demandOf, targetName } from './demand.ts';
import { STATE_LIFETIME_MS, restoreState, stateOf, type RequestState, type RequestStates } from './state.ts';
import { waitFor, type Waiting } from './wait.ts';

export type Judged = Authorized<ClientRequest> & { readonly judgement: Judgement };

/** Still undecided: the client is to come back with this state. Not a refusal, so not an error. */
export interface Pending {
  readonly pending: true;
  readonly approval: string;
  readonly requestState: string;
}

export interface HoldDeps {
  readonly gateway: string;
  readonly approvals: Approvals;
  readonly states: RequestStates;
  readonly sealer: Sealer;
  readonly masker: Masking;
  readonly now: () => number;
  /** Judges again under the policy that is in force now. Throws a Refusal where the caller may no longer make the call. */
  readonly rejudge: (exchange: Authorized<ClientRequest>) => Judgement;
  readonly onPhase: (exchange: Judged, approval: string, phase: string) => void;
}

/** Returns what may run, or what is still undecided; throws a Refusal for what may not run. */
export type Clear = (
  judged: Judged,
  reply: Reply,
  cancelled: AbortSignal,
) => Promise<Cleared<ClientRequest> | Pending>;

export interface Hold {
  readonly clear: Clear;
  /** Takes the server's own requestState out of an answer that has one; undefined where it has none. */
  readonly conceal: (text: string, exchange: Cleared<ClientRequest>) => Concealed | undefined;
}

export function createHold(deps: HoldDeps): Hold {
  return {
    clear: async (judged, reply, cancelled) => {
      // Nothing to wait for and nothing carried along: the ordinary call.
      if (judged.judgement.decision === 'allow' && judged.message.params['requestState'] === undefined) {
        return { ...judged, approval: undefined };
      }
      const digest = digestOf(judged, deps.gateway);
      const state = deps.states.open(deps.sealer, judged.message, judged.caller, digest);
      if (judged.judgement.decision === 'deny') throw denied(judged.judgement);
      const restored = withText(judged, restoreState(judged.message.text, state));
      if (judged.judgement.decision === 'allow') return { ...restored, approval: undefined };
      if (state?.kind === 'server' && state.approval !== null) {
        deps.states.spend(state);
        return { ...restored, approval: state.approval };
      }
      return ask(restored, { deps, digest, state, reply, cancelled });
    },
    conceal: (text, exchange) => {
      const state = exchange.session.era === 'modern' ? stateOf(text) : undefined;
      if (state === undefined) return undefined;
      const { caller, approval } = exchange;
      const digest = digestOf(exchange, deps.gateway);
      const expires = deps.now() + STATE_LIFETIME_MS;
      const sealed = deps.states.seal(deps.sealer, {
        kind: 'server',
        caller,
        digest,
        approval,
        state,
        expires,
      });
      return concealAt(text, ['result', 'requestState'], { sealed, awaitsClient: true });
    },
  };
}

interface Ask {
  readonly deps: HoldDeps;
  readonly digest: string;
  readonly state: RequestState | undefined;
  readonly reply: Reply;
  readonly cancelled: AbortSignal;
}

async function ask(judged: Judged, how: Ask): Promise<Cleared<ClientRequest> | Pending> {
  const { deps, digest, reply } = how;
  const view = await found(judged, how);
  deps.onPhase(judged, view.id, view.phase);
  const waiting: Waiting = { approvals: deps.approvals, reply, cancelled: how.cancelled, now: deps.now };
  const decided = view.phase === 'Pending' ? await waitFor(view, judged, waiting) : view;
  if (decided.phase !== view.phase) deps.onPhase(judged, decided.id, decided.phase);
  if (decided.phase === 'Pending') return pending(judged, decided, how);
  if (decided.phase !== 'Approved') throw undecidedFor(decided);
  await consume(judged, decided, how);
  deps.onPhase(judged, decided.id, 'Consumed');
  return { ...judged, approval: decided.id };

  function pending(held: Judged, still: ApprovalView, { deps: { states, sealer } }: Ask): Pending {
    if (held.session.era === 'legacy') throw askAgain(still);
    // When an approval expires is the operator's to say: the clocks of the two may differ.
    const expires = deps.now() + STATE_LIFETIME_MS;
    const body = {
      kind: 'hold',
      caller: held.caller,
      digest,
      approval: still.id,
      state: '',
      expires,
    } as const;
    return { pending: true, approval: still.id, requestState: states.seal(sealer, body) };
  }
}

/** A request that carries our state speaks of one approval; another is found by its digest, or created. */
async function found(judged: Judged, { deps, digest, state, cancelled }: Ask): Promise<ApprovalView> {
  const { judgement } = judged;
  if (judgement.rule === undefined || judgement.ruleRevision === undefined) {
    throw new Refusal('internal', 'The call was held by no rule; tell the people who run this gateway.', {
      as: -32603,
    });
  }
  const rule = { ...judgement, rule: judgement.rule, ruleRevision: judgement.ruleRevision };
  return asking(async () =>
    state?.kind === 'hold' && state.approval !== null
      ? deps.approvals.wait(state.approval, 0, cancelled)
      : deps.approvals.demand(
          await demandOf(judged, rule, { gateway: deps.gateway, digest, masker: deps.masker }),
        ),
  );
}

/** Approved is not yet allowed: the rule that asked must still be the one that would ask now. */
async function consume(judged: Judged, view: ApprovalView, { deps, digest }: Ask): Promise<void> {
  const now = deps.rejudge(judged);
  if (now.decision === 'deny') throw denied(now);
  if (now.decision === 'hold' && now.ruleRevision !== judged.judgement.ruleRevision) {
    throw new Refusal(
      'approval_expired',
      'The rule that asked for approval has changed since; make the call again to have it judged anew.',
    );
  }
  await asking(() => deps.approvals.consume(view.id, digest));
}

async function asking(step: () => Promise<ApprovalView>): Promise<ApprovalView> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    if (cause instanceof ControlRefused && cause.status === 409) throw notRunnable(cause);
    throw new Refusal(
      'approval_unavailable',
      `The call needs approval, and the approval service cannot be asked now: ${sentenceOf(cause)}`,
      { cause },
    );
  }
}

function notRunnable(cause: ControlRefused): Refusal {
  const consumed = cause.problem.phase === 'Consumed';
  return new Refusal(consumed ? 'approval_consumed' : 'approval_expired', cause.problem.message, { cause });
}

function undecidedFor(view: ApprovalView): Refusal {
  const comment = view.comment === undefined ? '' : ` They said: ${view.comment}`;
  switch (view.phase) {
    case 'Denied':
      return new Refusal(
        'approval_denied',
        `Approval ${view.id} was denied by ${view.decidedBy.join(', ')}.${comment}`,
      );
    case 'Consumed':
      return new Refusal(
        'approval_consumed',
        `Approval ${view.id} was used already; an approved call runs once. Make the call again without requestState to ask anew.`,
        { as: -32602 },
      );
    case 'Cancelled':
      return new Refusal(
        'approval_expired',
        `Approval ${view.id} was cancelled; make the call again to ask anew.`,
      );
    default:
      return new Refusal(
        'approval_expired',
        `Approval ${view.id} expired before anybody decided; make the call again to ask anew.`,
      );
  }
}

function askAgain(view: ApprovalView): Refusal {
  return new Refusal(
    'approval_pending',
    `This call waits for approval ${view.id}. Nothing has run. Make the same call again, with the same arguments, once it is approved (it expires at ${view.expiresAt}).`,
  );
}

function denied(judgement: Judgement): Refusal {
  return new Refusal('rule_denied', judgement.reason);
}

function digestOf(judged: Judged, gateway: string): string {
  const { caller, message, judgement } = judged;
  const span = locate(message.text, ['params', 'arguments']);
  return callDigest({
    principal: { issuer: caller.issuer, subject: caller.subject },
    server: gateway,
    tool: `${message.method} ${targetName(message.target) ?? ''}`,
    argumentsText: span === undefined ? '{}' : message.text.slice(span.start, span.end),
    ruleRevision: judgement.ruleRevision ?? '',
  });
}

function withText(judged: Judged, text: string): Judged {
  return text === judged.message.text ? judged : { ...judged, message: { ...judged.message, text } };
}
