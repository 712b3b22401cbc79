/** The approvals of an admin API, for a person with a token. */
import { z } from 'zod';
import { controlProblem } from '../../crds/control.ts';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';
import { approvalRequest, type ApprovalRequest, type Verdict } from '../../operator/approve/object.ts';

export type { ApprovalRequest, Verdict } from '../../operator/approve/object.ts';

/** The admin API refused, or cannot be reached; the message says why. */
export class ApprovalsRefused extends GatehouseError {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface ApprovalsClient {
  list(): Promise<readonly ApprovalRequest[]>;
  get(id: string): Promise<ApprovalRequest>;
  decide(id: string, verdict: Verdict, comment: string | undefined): Promise<ApprovalRequest>;
}

type AskApi = (
  url: URL,
  init: { method: string; headers: Record<string, string>; body: string | null; signal: AbortSignal },
) => Promise<{ readonly ok: boolean; readonly status: number; text(): Promise<string> }>;

const TIMEOUT_MS = 15_000;
const list = z.object({ items: z.array(approvalRequest) });

export function createApprovalsClient(options: {
  admin: string;
  token: string;
  fetch: AskApi;
}): ApprovalsClient {
  const ask = async <T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> => {
    const answer = await send(new URL(path, options.admin), options, body);
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new ApprovalsRefused(
      'unreadable',
      `What answers at ${options.admin} is not the admin API of Gatehouse.`,
    );
  };
  const pathOf = (id: string): string => `/v1/approvals/${encodeURIComponent(id)}`;
  return {
    list: async () => (await ask('/v1/approvals', list)).items,
    get: (id) => ask(pathOf(id), approvalRequest),
    decide: (id, verdict, comment) =>
      ask(`${pathOf(id)}/decisions`, approvalRequest, { verdict, ...(comment !== undefined && { comment }) }),
  };
}

async function send(
  url: URL,
  options: { admin: string; token: string; fetch: AskApi },
  body: unknown,
): Promise<unknown> {
  const { status, ok, text } = await reach(url, options, body);
  const answer = jsonOf(text);
  if (ok) return answer;
  const problem = controlProblem.safeParse(answer);
  if (problem.success) throw new ApprovalsRefused(problem.data.code, problem.data.message);
  throw new ApprovalsRefused('unreadable', `${options.admin} answered with HTTP status ${status}.`);
}

async function reach(
  url: URL,
  options: { admin: string; token: string; fetch: AskApi },
  body: unknown,
): Promise<{ ok: boolean; status: number; text: string }> {
  try {
    const response = await options.fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new ApprovalsRefused('unreachable', `${options.admin} cannot be reached: ${sentenceOf(reason)}.`, {
      cause,
    });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
