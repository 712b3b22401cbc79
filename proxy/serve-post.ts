import type { ClientNotification, ClientResponse, Identified } from './exchange.ts';
import type { ServeDeps } from './serve.ts';
import type { Session } from './session/sessions.ts';

/** Notifications, and the client's answers to requests of the server. */
export async function servePost(
  exchange: Identified<ClientNotification | ClientResponse>,
  session: Session,
  headers: Readonly<Record<string, string>>,
  deps: ServeDeps,
): Promise<void> {
  deps.journal.checkReady();
  const authorized = deps.stages.authorize(exchange);
  const method = authorized.message.kind === 'notification' ? authorized.message.method : 'response';
  await deps.journal.fromClient(authorized, method);
  cancelHeld(authorized, session);
  await deps.post(authorized, session, headers);
}

/** A call that still waits for approval is known to nobody but us: here its cancellation takes effect. */
function cancelHeld({ message }: Identified<ClientNotification | ClientResponse>, session: Session): void {
  if (message.kind !== 'notification' || message.method !== 'notifications/cancelled') return;
  const { requestId } = message.params;
  if (typeof requestId === 'string' || typeof requestId === 'number') session.cancels.get(requestId)?.abort();
}
