/** A call of the server to the outside that does not go out. */
import { GatehouseError } from '../../lib/errors.ts';

export type EgressRefusedCode =
  | 'bad_request'
  | 'not_allowed'
  | 'address_refused'
  | 'misdirected'
  | 'placeholder_misused'
  | 'proxy_authentication'
  | 'owner_unknown'
  | 'credential_unavailable'
  | 'upstream_unavailable'
  | 'upgrade_to_https';

/** The sentence is for whoever runs the server; it holds no secret. */
export class EgressRefused extends GatehouseError {
  readonly code: EgressRefusedCode;

  constructor(code: EgressRefusedCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
