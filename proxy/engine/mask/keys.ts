/** A key without case and separators: api_key, apiKey and API-KEY are one. */
export function normalizeKey(key: string): string {
  return key.replaceAll(/[^\p{L}\p{N}]/gu, '').toLowerCase();
}
