import { hash } from 'node:crypto';
import { canonicalJson } from '../../lib/json/index.ts';

export interface DigestedCall {
  readonly principal: { readonly issuer: string; readonly subject: string };
  readonly server: string;
  readonly tool: string;
  /** JSON as it was received. */
  readonly argumentsText: string;
  readonly ruleRevision: string;
}

/**
 * What an approval is bound to: SHA-256, hex, over canonical JSON of who calls what with which arguments under which
 * revision of the rule. Numbers count as they are written. Throws JsonTextError for arguments that are not JSON.
 */
export function callDigest(call: DigestedCall): string {
  const { principal, server, tool, argumentsText, ruleRevision } = call;
  // Every part is a string of its own in one array, so no part can pass for another.
  const parts = [
    principal.issuer,
    principal.subject,
    server,
    tool,
    canonicalJson(argumentsText),
    ruleRevision,
  ];
  return hash('sha256', JSON.stringify(parts), 'hex');
}
