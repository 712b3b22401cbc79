/** Payment card numbers that pass the Luhn check, made up anew on every run. */
import { randomInt } from 'node:crypto';

/** A number of 16 digits that begins with 4, in groups of four. */
export function cardNumber(): string {
  const body = `4${Array.from({ length: 14 }, () => randomInt(10)).join('')}`;
  const digits = `${body}${checkDigit(body)}`;
  return digits.replace(/(\d{4})(?=\d)/g, '$1 ');
}

function checkDigit(body: string): number {
  const sum = Array.from(body)
    .reverse()
    .reduce((total, digit, index) => {
      const doubled = index % 2 === 0 ? Number(digit) * 2 : Number(digit);
      return total + (doubled > 9 ? doubled - 9 : doubled);
    }, 0);
  return (10 - (sum % 10)) % 10;
}
