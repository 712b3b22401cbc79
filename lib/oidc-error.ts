import { GatehouseError } from './errors.ts';

export type OidcErrorCode =
  | 'token_malformed'
  | 'token_expired'
  | 'token_wrong_audience'
  | 'token_wrong_issuer'
  | 'token_bad_signature'
  | 'issuer_unavailable';

/** Why a token is not believed. The message may be shown to whoever sent the token. */
export class OidcError extends GatehouseError {
  readonly code: OidcErrorCode;

  constructor(code: OidcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
