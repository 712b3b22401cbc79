/** Check digits that one country alone uses. All take values without their separators. */
import { isMonthAndDay, weighted } from './check-digits.ts';

export function passesMod97(digits: string): boolean {
  const number = Number(digits.slice(0, -2));
  const check = Number(digits.slice(-2));
  // Those born from 2000 on have a 2 before their number.
  return 97 - (number % 97) === check || 97 - ((2_000_000_000 + number) % 97) === check;
}

/** Corsica's 2A and 2B count as 19 and 18. */
export function passesNir(compact: string): boolean {
  const number = compact.slice(0, 13).replace('2A', '19').replace('2B', '18');
  return 97 - (Number(number) % 97) === Number(compact.slice(13));
}

export function passesCpf(digits: string): boolean {
  const check = (length: number): number => {
    const weights = Array.from({ length }, (_, at) => length + 1 - at);
    return ((weighted(digits, weights) * 10) % 11) % 10;
  };
  return !/^(\d)\1+$/.test(digits) && check(9) === Number(digits[9]) && check(10) === Number(digits[10]);
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

export function passesDni(compact: string): boolean {
  const number = compact.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)));
  return DNI_LETTERS[Number(number) % 23] === compact.at(-1);
}

export function passesResidentId(compact: string): boolean {
  const sum = weighted(compact, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
  return (
    isMonthAndDay(compact.slice(10, 12), compact.slice(12, 14)) && '10X98765432'[sum % 11] === compact.at(-1)
  );
}

export function passesFodselsnummer(digits: string): boolean {
  const first = (11 - (weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11)) % 11;
  const second = (11 - (weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  const day = String(Number(digits.slice(0, 2)) % 40).padStart(2, '0');
  return (
    isMonthAndDay(digits.slice(2, 4), day) && first === Number(digits[9]) && second === Number(digits[10])
  );
}

export function passesHetu(compact: string): boolean {
  const number = Number(compact.slice(0, 6) + compact.slice(-4, -1));
  return (
    isMonthAndDay(compact.slice(2, 4), compact.slice(0, 2)) &&
    '0123456789ABCDEFHJKLMNPRSTUVWXY'[number % 31] === compact.at(-1)
  );
}
