/**
 * Audiences of the tokens that a sidecar is given. Nobody but nodes may ask for them, so no gateway may take them
 * from a caller, and the one for Vault is not the one for the operator: what is shown to one is worth nothing to
 * the other.
 */

/** Shown to the operator and the recorder. */
export const CONTROL_AUDIENCE = 'gatehouse-control';

/** Shown to Vault. */
export const VAULT_AUDIENCE = 'gatehouse-vault';

export const RESERVED_AUDIENCES: readonly string[] = [CONTROL_AUDIENCE, VAULT_AUDIENCE];
