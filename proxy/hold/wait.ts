/** How long, and how, a client of each era can be made to wait (measured against the official SDKs). */
import type { ApprovalView } from '#control';
import { ControlRefused } from '../control/client.ts';
import type { Approvals } from '../control/approvals.ts';
import type { Authorized, ClientRequest } from '../exchange.ts';
import type { Reply } from '../reply.ts';
import { Refusal } from '../refusal.ts';

export interface Waiting {
  readonly approvals: Approvals;
  readonly reply: Reply;
  /** The client said that it no longer wants the answer. */
  readonly cancelled: AbortSignal;
  readonly now: () => number;
}

/** SDK clients give up after 60 s by default; a legacy one has to hear from us before that. */
const LEGACY_DEADLINE_MS = 48_000;
/** A 2026-07-28 client's timer starts anew with each round, and it goes ten rounds. */
const MODERN_ROUND_MS = 40_000;
/** The first round is short: what the client sends from then on carries a state that is good for one approval. */
const MODERN_FIRST_ROUND_MS = 2_000;
const BEAT_MS = 12_000;

/** Waits until the request is decided or this era's patience is over. Throws a Refusal when the client is gone. */
export async function waitFor(
  view: ApprovalView,
  exchange: Authorized<ClientRequest>,
  waiting: Waiting,
): Promise<ApprovalView> {
  const modern = exchange.session.era === 'modern';
  const deadline = waiting.now() + (modern ? modernRound(exchange.message) : LEGACY_DEADLINE_MS);
  const stop = AbortSignal.any([waiting.reply.gone, waiting.cancelled]);
  const progress = progressOf(exchange.message);
  let current = view;
  for (let beat = 1; current.phase === 'Pending' && waiting.now() < deadline; beat += 1) {
    if (!modern) tellClient(waiting.reply, progress, beat, view.id);
    const left = Math.max(1, deadline - waiting.now());
    current = await decision(current, waiting, Math.min(left, modern ? left : BEAT_MS), stop);
    if (stop.aborted) await leave(view.id, modern || waiting.cancelled.aborted, waiting.approvals);
  }
  return current;
}

function modernRound({ params }: ClientRequest): number {
  return params['requestState'] === undefined ? MODERN_FIRST_ROUND_MS : MODERN_ROUND_MS;
}

async function decision(
  view: ApprovalView,
  waiting: Waiting,
  waitMs: number,
  stop: AbortSignal,
): Promise<ApprovalView> {
  try {
    return await waiting.approvals.wait(view.id, Math.round(waitMs), stop);
  } catch (error) {
    if (stop.aborted) return view;
    if (error instanceof ControlRefused) throw error;
    // The operator is restarting: the request is kept there, so waiting goes on.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return view;
  }
}

/** In 2026-07-28, and after notifications/cancelled, nobody wants the answer; else the client may ask again. */
async function leave(id: string, cancel: boolean, approvals: Approvals): Promise<never> {
  if (cancel) await approvals.cancel(id).catch(() => undefined);
  throw new Refusal(
    'client_gone',
    'The client went away while the call waited for approval; nothing has run.',
    { status: 499, as: -32603 },
  );
}

/** A comment keeps the connection; progress tells a client that asked for it. Its values stay below any of the server's. */
function tellClient(reply: Reply, token: string | number | undefined, beat: number, approval: string): void {
  reply.keepAlive();
  if (token === undefined) return;
  const params = {
    progressToken: token,
    progress: beat / 1000 - 1,
    message: `Waiting for approval ${approval}.`,
  };
  void reply.event(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }));
}

function progressOf(message: ClientRequest): string | number | undefined {
  const meta = message.params['_meta'];
  if (typeof meta !== 'object' || meta === null || !('progressToken' in meta)) return undefined;
  const token = meta.progressToken;
  return typeof token === 'string' || typeof token === 'number' ? token : undefined;
}
