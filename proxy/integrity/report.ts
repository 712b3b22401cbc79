/** Tells the operator which tool definitions were seen, so that every proxy of a gateway holds by the same ones. */
import type { ToolsSeen } from '#control';
import { MAX_TOOLS } from '../../crds/gateway-tools.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { firstAndLast } from './known-tools.ts';

export interface ToolReporter {
  /** There is something to tell; what is told is asked for a moment later, so that a whole list is told at once. */
  due(): void;
  close(): void;
}

const GATHER_MS = 20;
const RETRY_MS = 30_000;

/** Until the operator has heard of them, definitions are pinned here alone. Nothing waits for it. */
export function createToolReporter(deps: {
  readonly gateway: string;
  /** Digests by name, in the order in which they were seen. */
  readonly takeNews: () => ReadonlyMap<string, readonly string[]>;
  readonly tell: (seen: ToolsSeen) => Promise<void>;
  readonly log: Logger;
}): ToolReporter {
  const { gateway, log } = deps;
  const owed = new Map<string, readonly string[]>();
  let timer: NodeJS.Timeout | undefined;

  const arm = (ms: number): void => {
    timer ??= setTimeout(() => void run(), ms).unref();
  };
  const gather = (): void => {
    for (const [name, digests] of deps.takeNews()) owed.set(name, firstAndLast(owed.get(name), digests));
  };
  const run = async (): Promise<void> => {
    gather();
    const isTold = await tellOwed();
    gather();
    timer = undefined;
    if (owed.size > 0) arm(isTold ? GATHER_MS : RETRY_MS);
  };
  /** False where the operator could not be told; what it was not told stays owed. */
  const tellOwed = async (): Promise<boolean> => {
    try {
      while (owed.size > 0) {
        const part = [...owed].slice(0, MAX_TOOLS / 4);
        const tools = part.flatMap(([name, digests]) => digests.map((digest) => ({ name, digest })));
        await deps.tell({ gateway, tools });
        for (const [name] of part) owed.delete(name);
      }
      return true;
    } catch (error) {
      log.warn(
        { reason: sentenceOf(error) },
        'the operator was not told of tools that were seen; trying again',
      );
      return false;
    }
  };

  return {
    due: () => arm(GATHER_MS),
    close: () => clearTimeout(timer),
  };
}
