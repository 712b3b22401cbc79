/** A tool call whose answer is an event stream that the test writes. */
import type { HandSession } from '../../fixtures/hand-client.ts';
import { toolText, type Heard, type SentStream } from '../../fixtures/scripted-server.ts';
import type { World } from '../world.ts';

/** A log line of the server. */
export const note = (n: number): object => ({
  method: 'notifications/message',
  params: { level: 'info', data: `line ${n}` },
});
/** The answer to a tool call. */
export const answerTo = ({ message: { id } }: Heard, text = 'done'): object => ({
  id,
  result: toolText(text),
});

/** A tool call whose stream the test holds in its hands. */
export async function streamedCall(world: World, session: HandSession, id = 1, signal?: AbortSignal) {
  const opened = Promise.withResolvers<{ heard: Heard; stream: SentStream }>();
  world.server.on('tools/call', (heard) => opened.resolve({ heard, stream: heard.stream() }));
  const response = session.request('tools/call', { name: 'slow' }, { id, ...(signal && { signal }) });
  return { ...(await opened.promise), response: await response };
}
