/** Keys to cancel with: the client gets keys of ours, and only they reach the session that they were given for. */
import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { int32, message } from './messages.ts';

/** Protocol 3.2 knows keys of up to 256 bytes; before it they have four. */
const LONG_KEY = 32;
const SHORT_KEY = 4;
const MAX_PID = 2 ** 31 - 1;
const CANCEL = 80_877_102;

export interface IssuedKey {
  /** BackendKeyData for the client. */
  readonly message: Buffer;
  /** The key opens nothing any more. */
  readonly revoke: () => void;
}

export class CancelKeys {
  readonly #keys = new Map<number, { readonly secret: Buffer; readonly cancel: () => void }>();

  /** `minor`: version 3.`minor` of the protocol. */
  issue(minor: number, cancel: () => void): IssuedKey {
    let pid = randomInt(1, MAX_PID);
    while (this.#keys.has(pid)) pid = randomInt(1, MAX_PID);
    const secret = randomBytes(minor >= 2 ? LONG_KEY : SHORT_KEY);
    this.#keys.set(pid, { secret, cancel });
    return { message: message('K', int32(pid), secret), revoke: () => void this.#keys.delete(pid) };
  }

  /** Cancels what runs where the key was given for. Whether it was; whoever asks is not told. */
  use(pid: number, secret: Buffer): boolean {
    const key = this.#keys.get(pid);
    if (key?.secret.length !== secret.length || !timingSafeEqual(key.secret, secret)) return false;
    key.cancel();
    return true;
  }
}

/** The packet that cancels; `key` as BackendKeyData gave it. */
export function cancelRequest(key: Buffer): Buffer {
  return message(undefined, int32(CANCEL), key);
}
