/** When a value looks as if a machine had drawn it, and when a name says that its value is secret. */

const SECRET_NAME =
  /(?:secret|passwd|password|passphrase|apikey|accesskey|privatekey|signingkey|encryptionkey|authkey|accesstoken|refreshtoken|authtoken|bearertoken|idtoken|sessiontoken|clientsecret|credential)s?$|^(?:token|pwd|auth)$/;

/** Whether a key, whatever its case and separators, names a secret: `db_password`, `apiKey`, `client-secret`. */
export function isSecretName(name: string): boolean {
  return name.length <= 64 && SECRET_NAME.test(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Long enough, of several kinds of characters, with nearly as many bits a character as chance would give. */
export function looksRandom(value: string): boolean {
  if (value.length < 10 || UUID.test(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  if (kinds < 2 || !/[0-9]/.test(value) || /^[0-9.,:+ -]+$/.test(value)) return false;
  return bitsPerCharacter(value) >= Math.min(3.5, Math.log2(value.length) - 0.6);
}

/** Shannon's entropy over the characters of the value. */
function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

/** Placeholders that documents and templates show in the place of a password. */
export function isPlaceholder(value: string): boolean {
  return /^(?:[*x.]+|<.*>|\$.*|\{.*\}|%.*%?|\[.*|password|passwd|pass|pwd|secret|token|user|username|example|changeme|your.*)$/i.test(
    value,
  );
}
