/** Secrets that lie in files of the installation; read anew each time, so that a rotated one is used at once. */
import { readFile } from 'node:fs/promises';
import { sentenceOf } from '../../../lib/errors.ts';
import { Secret } from '../../../lib/secret.ts';
import { DeliveryError } from './channel.ts';

/** The one line of a file. Throws DeliveryError. */
export async function readSecret(file: string): Promise<Secret> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    if (text === '' || /[\r\n]/.test(text)) throw new Error('it does not hold one line');
    return new Secret(text);
  } catch (cause) {
    throw new DeliveryError(`The file ${file} cannot be used as a secret: ${sentenceOf(cause)}.`, { cause });
  }
}
