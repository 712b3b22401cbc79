import { GatehouseError } from '../../lib/errors.ts';

/** Why a credential cannot be put in. The message holds no value and no path, so that a caller may read it. */
export class CredentialError extends GatehouseError {
  readonly code: 'credential_invalid' | 'credential_unavailable';

  constructor(code: CredentialError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
