/** The lines of a watch → events. Pure. */
import { z } from 'zod';
import { KubeRefused, KubeUnreachable, kubeStatus } from './errors.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: unknown }
  /** Nothing happened up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

const line = z.object({ type: z.string(), object: z.unknown() });
const bookmark = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });

/** Throws KubeRefused for an ERROR event, 410 Expired among them, and KubeUnreachable for what is no event. */
export function watchEventOf(text: string): WatchEvent {
  const event = parsedLine(text);
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: event.object };
    case 'BOOKMARK': {
      const seen = bookmark.safeParse(event.object);
      if (!seen.success) throw new KubeUnreachable('A bookmark of a watch names no version.');
      return { type: 'BOOKMARK', resourceVersion: seen.data.metadata.resourceVersion };
    }
    case 'ERROR':
      throw refused(event.object);
    default:
      throw new KubeUnreachable('A watch sent an event of an unknown type.');
  }
}

function parsedLine(text: string): z.output<typeof line> {
  try {
    return line.parse(JSON.parse(text));
  } catch (cause) {
    throw new KubeUnreachable('A watch sent a line that is no event.', { cause });
  }
}

function refused(object: unknown): KubeRefused {
  const status = kubeStatus.safeParse(object).data;
  return new KubeRefused(status?.message || 'The watch failed; the API server does not say why.', {
    status: status?.code ?? 0,
    reason: status?.reason ?? '',
    ...(status?.details?.retryAfterSeconds !== undefined && {
      retryAfterMs: status.details.retryAfterSeconds * 1000,
    }),
  });
}
