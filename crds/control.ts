/**
 * The messages between proxy, operator and recorder. All wires are HTTPS with a bearer token of the control audience.
 *
 *   GET  /v1/bundles                   operator → proxy, newline-delimited JSON that does not end: BundleFrame
 *   POST /v1/applied                   proxy → operator: Applied
 *   POST /v1/tools                     proxy → operator: ToolsSeen, when definitions of tools are new or have changed
 *   POST /v1/approvals                 proxy → operator: ApprovalDemand, answered with ApprovalView (found or created)
 *   GET  /v1/approvals/{id}?wait=MS    answered with ApprovalView when the phase is no longer Pending, or MS have passed
 *   POST /v1/approvals/{id}/consume    ConsumeDemand; 200 ApprovalView, or 409 ControlProblem when it may not run
 *   POST /v1/approvals/{id}/outcome    Outcome, once the call has ended
 *   POST /v1/approvals/{id}/cancel     the caller went away while it was Pending
 *   POST /v1/streams/{stream}/records  proxy → recorder, newline-delimited record lines; answered with Acknowledged,
 *                                      or 409 with the sequence number that the recorder expects next
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { bundle } from './bundle.ts';
import { knownTool, MAX_TOOLS } from './gateway-tools.ts';

/**
 * One line of the bundle stream. `bundles` is always the whole set for this proxy, and `roots` all that vouches for the
 * installation from now on, PEM: absent where the proxy is told of them another way. A heartbeat comes every 10 s.
 */
export const bundleFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('bundles'), bundles: z.array(bundle), roots: z.string().optional() }),
  z.object({ type: z.literal('heartbeat') }),
]);

export const applied = z.object({ gateway: z.string(), revision: z.string(), error: z.string().optional() });

/** Digests of tool definitions, as a server has just listed them. */
export const toolsSeen = z.object({
  gateway: z.string(),
  tools: z
    .array(knownTool.pick({ name: true, digest: true }))
    .min(1)
    .max(MAX_TOOLS),
});

export const requester = z.object({
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  username: z.string(),
  groups: z.array(z.string()),
});

/** What a call was parsed to do, in the words of the design; shown to approvers and in the record. */
export const parsedCall = z.object({
  /** Classes (sql) or effects (shell, kubectl), sorted. */
  classes: z.array(z.string()),
  /** Tables, programs or resources touched, sorted; holds no literal of the statement. */
  targets: z.array(z.string()),
  /** What adds up to the risk, each part named. */
  risk: z.array(z.object({ reason: z.string(), points: z.number() })),
});

export const approvalDemand = z.object({
  gateway: z.string(),
  rule: z.object({ name: z.string(), revision: z.string() }),
  requester,
  call: z.object({
    server: z.string(),
    tool: z.string(),
    /** SHA-256, hex, over principal, server, tool, canonical arguments and rule revision. */
    digest: z.string(),
    /** Masked, at most 4 KiB. */
    preview: z.string(),
    risk: z.number(),
    parsed: parsedCall,
  }),
});

export const phase = z.enum(['Pending', 'Approved', 'Denied', 'Expired', 'Cancelled', 'Consumed']);
export const outcomeName = z.enum(['Completed', 'Failed', 'Unknown']);

export const approvalView = z.object({
  id: z.string(),
  phase,
  expiresAt: z.string(),
  /** Who decided and what they said, once decided. */
  decidedBy: z.array(z.string()),
  comment: z.string().optional(),
});

export const consumeDemand = z.object({ digest: z.string() });
export const outcome = z.object({ outcome: outcomeName });
/** The body of every refusal on these wires. `code` is stable. */
export const controlProblem = z.object({ code: z.string(), message: z.string(), phase: phase.optional() });
export const acknowledged = z.object({ acknowledged: z.int() });
export const outOfSequence = z.object({ code: z.string(), message: z.string(), expected: z.int() });

export type BundleFrame = z.infer<typeof bundleFrame>;
export type BundleSet = Omit<Extract<BundleFrame, { type: 'bundles' }>, 'type'>;
export type Applied = z.infer<typeof applied>;
export type ToolsSeen = z.infer<typeof toolsSeen>;
export type Requester = z.infer<typeof requester>;
export type ParsedCall = z.infer<typeof parsedCall>;
export type ApprovalDemand = z.infer<typeof approvalDemand>;
export type ApprovalView = z.infer<typeof approvalView>;
export type ApprovalPhase = z.infer<typeof phase>;
export type OutcomeName = z.infer<typeof outcomeName>;
export type ControlProblem = z.infer<typeof controlProblem>;

/** JSON text that has been through the masker. Only the masker makes one; the record takes nothing else. */
export type MaskedText = string & { readonly __masked: true };

export interface Masked {
  /** Where, as JSONPath from the message: `$.result.content[0].text`. */
  readonly path: string;
  /** What found it: a detector's name, `key:<name>`, `path:<jsonPath>`, `column:<name>` or `known-secret`. */
  readonly detector: string;
}

export interface RecordedCaller {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  readonly username: string;
  readonly groups: readonly string[];
}

/**
 * What happened, as the record keeps it. Every outcome of an exchange is recorded once: a `request` and the
 * `response` that ended it, or a `refusal`. No member can hold text that was not masked.
 */
export type RecordEvent = {
  /** ISO 8601, milliseconds. */
  readonly time: string;
  readonly gateway: string;
  /** Absent when the caller was refused before a session was known. */
  readonly session?: string;
  readonly caller?: RecordedCaller;
} & (
  | { readonly type: 'session.start'; readonly revision: string; readonly transport: string }
  | { readonly type: 'session.end'; readonly reason: string }
  | {
      readonly type: 'request';
      readonly exchange: string;
      readonly method: string;
      readonly target?: string;
      readonly message: MaskedText;
      readonly decision: 'allow' | 'deny' | 'hold';
      readonly rule?: string;
      readonly reason: string;
      readonly risk: number;
      readonly approval?: string;
      /** Names of the credentials that were put in. */
      readonly credentials?: readonly string[];
    }
  | {
      readonly type: 'response';
      readonly exchange: string;
      readonly message: MaskedText;
      readonly masked: readonly Masked[];
      /** From the first byte of the request to the last of the answer, milliseconds. */
      readonly durationMs: number;
    }
  | {
      /** A message that is not the answer to one request: notifications and requests of either side. */
      readonly type: 'message';
      readonly from: 'client' | 'server';
      readonly method: string;
      readonly message: MaskedText;
      readonly masked: readonly Masked[];
    }
  | {
      readonly type: 'refusal';
      readonly exchange: string;
      readonly code: string;
      readonly reason: string;
      readonly status: number;
    }
  | {
      readonly type: 'approval';
      readonly exchange: string;
      readonly approval: string;
      readonly phase: string;
    }
  | {
      /** A call of the server to the outside. The exchange it was made for, where that is certain. */
      readonly type: 'outbound';
      readonly exchange?: string;
      readonly protocol: OutboundProtocol;
      /** host:port. */
      readonly destination: string;
      /** What was asked: method and path, or a statement. */
      readonly what: MaskedText;
      readonly decision: 'allow' | 'deny';
      /** Why it was denied, or how it failed. */
      readonly reason?: string;
      /** Name of the credential that was put in. */
      readonly credential?: string;
      readonly status?: number;
      readonly durationMs: number;
    }
  | {
      /** Something about the server that no exchange ends with: a message kept from the client, a tool that changed. */
      readonly type: 'notice';
      readonly code: NoticeCode;
      readonly reason: string;
    }
);

export type NoticeCode = 'message_dropped' | 'tool_changed';

export type OutboundProtocol = 'http' | 'postgres';

/** A record line as it goes over the wire and into the log. `prev` is the hash of the line before it in its stream. */
export interface RecordLine {
  readonly stream: string;
  /** From 0, without gaps. */
  readonly seq: number;
  readonly prev: string;
  readonly event: RecordEvent;
}

/** `prev` of the first line of a stream. */
export const FIRST_PREV = '0'.repeat(64);

/** The hash that chains a stream: SHA-256 over the line's bytes, without the newline, hex. Text is hashed as UTF-8. */
export function lineHash(line: string | Uint8Array): string {
  return hash('sha256', line, 'hex');
}
