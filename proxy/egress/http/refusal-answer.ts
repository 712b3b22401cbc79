/** How a refusal looks over HTTP. */
import { EgressRefused, type EgressRefusedCode } from '../refused.ts';

const STATUS: Readonly<Record<EgressRefusedCode, number>> = {
  bad_request: 400,
  not_allowed: 403,
  address_refused: 403,
  placeholder_misused: 403,
  upgrade_to_https: 403,
  proxy_authentication: 407,
  misdirected: 421,
  owner_unknown: 409,
  credential_unavailable: 503,
  upstream_unavailable: 502,
};

export function statusOf(error: unknown): number {
  return error instanceof EgressRefused ? STATUS[error.code] : 500;
}

export function refusalBody(error: unknown): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const sentence = error instanceof EgressRefused ? error.message : 'Gatehouse could not pass this call on.';
  const body = `${sentence}\n`;
  const status = statusOf(error);
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      ...(status === 407 ? { 'proxy-authenticate': 'Basic realm="gatehouse"' } : {}),
    },
    body,
  };
}
