import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Echo } from './echo.ts';

const value = 'ghs_0123456789abcdef';
const mask = '*'.repeat(value.length);

function through(echo: Echo, pieces: readonly string[]): string {
  const out = pieces.map((piece) => echo.push(Buffer.from(piece, 'latin1')).toString('latin1'));
  return out.join('') + echo.flush().toString('latin1');
}

test('a value is masked wherever the pieces are cut, and nothing else changes', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constant(value),
          fc.constant(value.slice(0, 7)),
          fc.string({ maxLength: 9 }),
          fc.constant('gh'),
        ),
        { maxLength: 12 },
      ),
      fc.array(fc.nat(300), { maxLength: 20 }),
      (parts, cuts) => {
        const text = Buffer.from(parts.join('|'), 'utf8').toString('latin1');
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(through(new Echo([value]), pieces)).toBe(text.replaceAll(value, mask));
      },
    ),
  );
});

test('what cannot be the beginning of a value leaves at once', () => {
  const echo = new Echo([value]);
  expect(echo.push(Buffer.from('data: 1\n\n')).toString()).toBe('data: 1\n\n');
  expect(echo.push(Buffer.from('data: gh')).toString()).toBe('data: ');
  expect(echo.push(Buffer.from('x')).toString()).toBe('ghx');
});

test('the ways in which a header is shown are known', () => {
  const odd = `a/b+c=="'<é>`;
  const echo = new Echo([odd]);
  for (const shown of [odd, JSON.stringify(odd), encodeURIComponent(odd)])
    expect(through(new Echo([odd]), [`[${shown}]`])).not.toContain(shown);
  expect(echo.text(`x ${odd}`)).toBe(`x ${'*'.repeat(odd.length)}`);
});

test('a short value is left alone, since it stands in any body by chance', () => {
  const echo = new Echo(['abc']);
  expect(echo.isEmpty).toBe(true);
});
