/** Text that others wrote, for the eyes of people who decide by it. */
import { stripVTControlCharacters } from 'node:util';

/** On one line, and without what moves a cursor, hides text or turns its direction. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
}
