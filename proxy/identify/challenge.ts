/** Builds `WWW-Authenticate` (RFC 6750, 3; RFC 9728, 5.1). */

export interface Challenge {
  /** Where the protected resource metadata of the gateway lies, an absolute URL. */
  readonly metadataUrl: string;
}

export interface ChallengeError {
  readonly error: 'invalid_token' | 'invalid_request';
  readonly description: string;
}

/** The header that tells a client where to get a token, and what was wrong with the one it sent, if it sent one. */
export function challenge(about: Challenge, failure?: ChallengeError): Record<string, string> {
  const parameters = [`resource_metadata="${quotable(about.metadataUrl)}"`];
  if (failure !== undefined) {
    parameters.push(`error="${failure.error}"`, `error_description="${quotable(failure.description)}"`);
  }
  return { 'WWW-Authenticate': `Bearer ${parameters.join(', ')}` };
}

/** RFC 6750, 3: printable ASCII without the quote and the backslash. */
function quotable(text: string): string {
  return text.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
}
