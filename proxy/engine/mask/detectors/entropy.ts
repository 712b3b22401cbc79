/** When a value looks as if a machine had drawn it, and when a name says that its value is secret. */

const SECRET_NAME =
  /(?:secret|passwd|password|passphrase|apikey|accesskey|privatekey|appkey|applicationkey|masterkey|consumerkey|accountkey|signingkey|encryptionkey|authkey|accesstoken|refreshtoken|authtoken|bearertoken|idtoken|sessiontoken|clientsecret|credential)s?$|^(?:token|pwd|auth)$/;

/** Whether a key, whatever its case and separators, names a secret: `db_password`, `apiKey`, `client-secret`. */
export function isSecretName(name: string): boolean {
  return name.length <= 64 && SECRET_NAME.test(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the value is a UUID: an identifier as a rule, and a key where its name says so. */
export function isUuid(value: string): boolean {
  return UUID.test(value);
}

/** Long enough, of several kinds of characters, with nearly as many bits a character as chance would give. */
export function looksRandom(value: string): boolean {
  if (value.length < 10 || isUuid(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  if (kinds < 2 || !/[0-9]/.test(value) || /^[0-9.,:+ -]+$/.test(value)) return false;
  return bitsPerCharacter(value) >= Math.min(leastBits(value), Math.log2(value.length) - 0.6);
}

/** Sixteen digits give four bits at most: of a hundred random values of 32 of them, some twenty stay below 3.5. */
function leastBits(value: string): number {
  return /^[0-9a-f]+$/i.test(value) ? 2.9 : 3.5;
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
