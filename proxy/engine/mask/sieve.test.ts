import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sieve } from './sieve.ts';

const literal = fc.uint8Array({ minLength: 3, maxLength: 40 });

test('says yes wherever a literal stands, whatever is around it', () => {
  fc.assert(
    fc.property(
      fc.array(literal, { minLength: 1, maxLength: 12 }),
      fc.uint8Array(),
      fc.uint8Array(),
      fc.nat(),
      (literals, before, after, which) => {
        const found = literals[which % literals.length] ?? new Uint8Array();
        expect(new Sieve(literals).mayHold(Buffer.concat([before, found, after]))).toBe(true);
      },
    ),
  );
});

test('takes letters of both cases and both alphabets of base64 for the same', () => {
  const sieve = new Sieve([Buffer.from('Secret-Value_1')]);
  expect(sieve.mayHold(Buffer.from('a sECRET+vALUE/1 there'))).toBe(true);
});

test('says no where nothing like it stands', () => {
  const sieve = new Sieve([Buffer.from('hunter2-hunter2'), Buffer.from('correct horse')]);
  expect(sieve.mayHold(Buffer.from('hunter2-hunxer2 and a correct hors'.repeat(100)))).toBe(false);
  expect(sieve.mayHold(Buffer.alloc(0))).toBe(false);
  expect(new Sieve([]).mayHold(Buffer.from('anything at all'))).toBe(false);
});
