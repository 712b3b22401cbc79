import { GatehouseError } from '../lib/errors.ts';

/** Stable names of why an exchange was refused; they label metrics and records. */
export type RefusalCode =
  | 'unauthenticated'
  | 'identity_unavailable'
  | 'insufficient_scope'
  | 'not_found'
  | 'bad_request'
  | 'bad_host'
  | 'bad_origin'
  | 'too_large'
  | 'unsupported_media_type'
  | 'not_acceptable'
  | 'method_not_allowed'
  | 'header_mismatch'
  | 'unsupported_version'
  | 'session_not_found'
  | 'access_denied'
  | 'tool_changed'
  | 'rule_denied'
  | 'approval_pending'
  | 'approval_denied'
  | 'approval_expired'
  | 'approval_consumed'
  | 'approval_unavailable'
  | 'state_invalid'
  | 'credential_unavailable'
  | 'turn_unavailable'
  | 'rate_limited'
  | 'recorder_unavailable'
  | 'no_bundle'
  | 'withheld'
  | 'upstream_unavailable'
  | 'upstream_timeout'
  | 'upstream_invalid'
  | 'client_gone'
  | 'internal';

/**
 * Why an exchange went no further. `receive` turns it into what the client's protocol revision calls for;
 * `record` writes it down. The message is one sentence that the caller may see.
 */
export class Refusal extends GatehouseError {
  readonly code: RefusalCode;
  /** HTTP status where the refusal is one of the transport; 200 where JSON-RPC carries it. */
  readonly status: number;
  /** JSON-RPC error code, or `tool` for a CallToolResult with isError where the request was tools/call. */
  readonly as: number | 'tool';
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RefusalCode,
    message: string,
    how: {
      status?: number;
      as?: number | 'tool';
      data?: Record<string, unknown>;
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    super(message, how.cause === undefined ? undefined : { cause: how.cause });
    this.code = code;
    this.status = how.status ?? 200;
    this.as = how.as ?? 'tool';
    this.data = how.data;
    this.headers = how.headers ?? {};
  }
}
