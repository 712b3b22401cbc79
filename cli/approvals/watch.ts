/** Approvals as they come and change, a line each, until the watcher has seen enough. */
import { setTimeout as delay } from 'node:timers/promises';
import { plainText } from '../../lib/plain-text.ts';
import { ApprovalsRefused, type ApprovalRequest, type ApprovalsClient } from './client.ts';

export interface WatchOptions {
  readonly everyMs: number;
  readonly stop: AbortSignal;
  /** Prints a request that is new, or stands otherwise than when it was printed last. */
  readonly print: (request: ApprovalRequest) => void;
  /** Says a sentence that is no request. */
  readonly say: (sentence: string) => void;
}

/** Ends when `stop` is aborted; throws what a person has to mend. What is away is waited for. */
export async function watchApprovals(
  client: Pick<ApprovalsClient, 'list'>,
  options: WatchOptions,
): Promise<void> {
  const { stop, say } = options;
  const printed = new Map<string, string>();
  let isAway = false;
  const tell = (items: readonly ApprovalRequest[], isFirst: boolean): void => {
    for (const request of items.toReversed()) {
      const state = stateOf(request);
      const isNews = printed.get(request.metadata.name) !== state;
      printed.set(request.metadata.name, state);
      // What was decided before is no news; what waits is.
      if (isNews && (!isFirst || request.status.phase === 'Pending')) options.print(request);
    }
  };
  for (let isFirst = true; !stop.aborted;) {
    try {
      tell(await client.list(), isFirst);
      [isFirst, isAway] = [false, false];
    } catch (error) {
      if (!(error instanceof ApprovalsRefused) || error.code !== 'unreachable') throw error;
      if (!isAway) say(`${error.message} Trying again.`);
      isAway = true;
    }
    await delay(options.everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** One request on one line. */
export function watchLine({ metadata, spec, status }: ApprovalRequest, now: Date): string {
  const by = spec.decisions.map((entry) => entry.by).join(', ');
  const outcome = status.outcome === undefined ? '' : `, ${status.outcome.toLowerCase()}`;
  const what = `${spec.call.tool} at ${metadata.namespace}/${spec.gateway} by ${spec.requester.username}, risk ${spec.call.risk}`;
  const end = by === '' ? '' : `; decided by ${by}`;
  return plainText(`${now.toISOString()}  ${metadata.name}  ${status.phase}${outcome}  ${what}${end}`);
}

function stateOf({ spec, status }: ApprovalRequest): string {
  return `${status.phase} ${status.outcome ?? ''} ${spec.decisions.length}`;
}
