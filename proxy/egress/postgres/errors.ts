import { GatehouseError, sentenceOf } from '../../../lib/errors.ts';

/** Why a connection or a statement is refused; `sqlstate` tells clients what kind of refusal it is. */
export class WireError extends GatehouseError {
  readonly code = 'postgres_refused';
  readonly sqlstate: string;

  constructor(sqlstate: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.sqlstate = sqlstate;
  }
}

/** The database refused the login: the lease may have been revoked under us. */
export class LoginRefused extends WireError {}

/** What a client is told of anything that was thrown: what nobody foresaw is not quoted. */
export function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  return error instanceof GatehouseError
    ? new WireError('28000', sentenceOf(error), { cause: error })
    : new WireError('XX000', 'The connection to the database failed.', { cause: error });
}
