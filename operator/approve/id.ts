import { randomInt } from 'node:crypto';

/** No vowels and no look-alikes: ids are read aloud and typed. */
const ALPHABET = 'bcdfghjkmnpqrstvwxz23456789';

/** A name that Kubernetes accepts and that says which gateway it is about. */
export function newId(gateway: string): string {
  const name = gateway.slice(gateway.indexOf('/') + 1, gateway.indexOf('/') + 41).replace(/[^a-z0-9-]/g, '-');
  const suffix = Array.from({ length: 8 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return `${name}-${suffix}`;
}
