/** The stages, in the order in which an exchange passes them. */
import type {
  Authorized,
  ClientMessage,
  ClientRequest,
  Cleared,
  Credentialed,
  Identified,
  Judgement,
} from './exchange.ts';
import type { Answer, UpstreamLink } from './upstream.ts';
import type { Clear, Judged, Pending } from './hold/index.ts';
import type { Release } from './release/index.ts';
import type { Reply } from './reply.ts';

export interface Stages {
  authorize<M extends ClientMessage>(exchange: Identified<M>): Authorized<M>;
  judge(exchange: Authorized<ClientRequest>): Judgement;
  hold: Clear;
  credential<M extends ClientMessage>(exchange: Cleared<M>): Promise<Credentialed<M>>;
  forward(exchange: Credentialed<ClientRequest>, outbound: Outbound): Promise<Answer>;
  release: Release;
}

/** What a message takes along to the server beside its text. */
export interface Outbound {
  /** The client's headers that travel on. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly link: UpstreamLink;
}

/** What an exchange tells of itself on its way in. */
export interface Milestones {
  judged(judged: Judged): Promise<void>;
  credentialed(exchange: Credentialed<ClientRequest>): Promise<void>;
}

/** From a verified caller to a call that may be forwarded. A stage that refuses throws a Refusal. */
export async function admit(
  exchange: Identified<ClientRequest>,
  stages: Stages,
  way: { readonly reply: Reply; readonly cancelled: AbortSignal; readonly milestones: Milestones },
): Promise<Credentialed<ClientRequest> | Pending> {
  const authorized = stages.authorize(exchange);
  const judged = { ...authorized, judgement: stages.judge(authorized) };
  await way.milestones.judged(judged);
  const cleared = await stages.hold(judged, way.reply, way.cancelled);
  if ('pending' in cleared) return cleared;
  const credentialed = await stages.credential(cleared);
  await way.milestones.credentialed(credentialed);
  return credentialed;
}
