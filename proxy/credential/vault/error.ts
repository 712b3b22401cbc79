import { GatehouseError } from '../../../lib/errors.ts';

/**
 * Why Vault gave no answer that one could use. `busy`: it said that it cannot now (sealed, standby, overloaded).
 * `unreachable`: nobody answered in time. `refused`: it will not, and asking again changes nothing. `unreadable`: what
 * came is no answer of Vault's. `redirected`: it sends us to another host.
 */
export type VaultErrorCode =
  'vault_busy' | 'vault_unreachable' | 'vault_refused' | 'vault_unreadable' | 'vault_redirected';

export interface VaultErrorFacts {
  readonly status?: number | undefined;
  /** Vault's own first words. For logs: they may speak of things that are no caller's business. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** The message names no address, no path and no value, so that a caller may read it. */
export class VaultError extends GatehouseError {
  readonly code: VaultErrorCode;
  readonly status: number | undefined;
  readonly detail: string | undefined;

  constructor(code: VaultErrorCode, message: string, facts: VaultErrorFacts = {}) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.detail = facts.detail;
  }

  /** Whether the same request may well succeed a little later. */
  get temporary(): boolean {
    return this.code === 'vault_busy' || this.code === 'vault_unreachable';
  }
}
