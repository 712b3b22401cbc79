/** What Vault's refusals say. */
import { VaultError } from './error.ts';

export function isDenied(error: unknown): boolean {
  return error instanceof VaultError && error.status === 403;
}

/** Vault's own words for a token that it does not know: "invalid token" since 1.13, "bad token" before. */
export function saysInvalid(error: unknown): boolean {
  return error instanceof VaultError && /\b(?:invalid|bad) token\b/.test(error.detail ?? '');
}

export function detailOf(error: unknown): string | undefined {
  return error instanceof VaultError ? error.detail : undefined;
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
