/** What can go wrong between us and the API server. */
import { z } from 'zod';
import { GatehouseError } from '../../../lib/errors.ts';

/** No credentials for an API server. */
export class KubeConfigError extends GatehouseError {
  readonly code = 'bad_kubeconfig';
}

/** There was no answer, or none that can be read. */
export class KubeUnreachable extends GatehouseError {
  readonly code = 'kubernetes_unreachable';
}

/** The API server refused; the message is its own sentence. */
export class KubeRefused extends GatehouseError {
  readonly code = 'kubernetes_refused';
  /** HTTP, or the code of a Status in a watch. */
  readonly status: number;
  /** Kubernetes' word for it: NotFound, Conflict, Expired … */
  readonly reason: string;
  /** Milliseconds after which the server wants to be asked again, where it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, about: { status: number; reason: string; retryAfterMs?: number | undefined }) {
    super(message);
    this.status = about.status;
    this.reason = about.reason;
    this.retryAfterMs = about.retryAfterMs;
  }
}

export const kubeStatus = z.object({
  kind: z.literal('Status'),
  message: z.string().default(''),
  reason: z.string().default(''),
  code: z.number().default(0),
  details: z.object({ retryAfterSeconds: z.number().optional() }).optional(),
});

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export function refusalOf(
  answer: Answer,
  text: string,
  about: { method: string; path: string },
): KubeRefused {
  const status = parsedStatus(text);
  const said = status?.message ?? '';
  const message =
    said === ''
      ? `The API server answered ${String(answer.statusCode)} to ${about.method} ${about.path}.`
      : said;
  const seconds = Number(answer.headers['retry-after'] ?? status?.details?.retryAfterSeconds);
  return new KubeRefused(message, {
    status: answer.statusCode,
    reason: status?.reason ?? '',
    ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
  });
}

/** Whether the API server refused with this status. */
export function isRefused(error: unknown, status: number): boolean {
  return error instanceof KubeRefused && error.status === status;
}

function parsedStatus(text: string): z.output<typeof kubeStatus> | undefined {
  try {
    return kubeStatus.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
