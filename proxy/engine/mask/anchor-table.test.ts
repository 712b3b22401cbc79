import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnchorTable } from './anchor-table.ts';

const LENGTHS = [12, 8, 4] as const;
/** Few characters, so that literals stand in each other and share beginnings. */
const unit = fc.constantFrom('a', 'B', '3', '-', '_', 'é', 'Ж', '.');
const textOf = (minLength: number, maxLength: number) => fc.string({ unit, minLength, maxLength });

/** Where literals may stand by what the table says. */
function candidatesIn(table: AnchorTable, text: string): Set<string> {
  const found = new Set<string>();
  table.scan(text, (start, ref) => void found.add(`${start} ${ref}`));
  return found;
}

function standsAt(text: string, literal: string): string[] {
  const places: string[] = [];
  for (let at = text.indexOf(literal); at !== -1; at = text.indexOf(literal, at + 1)) places.push(String(at));
  return places;
}

describe.each(LENGTHS)('a table of literals of at least %d characters', (leastLength) => {
  const literals = fc.uniqueArray(textOf(leastLength, leastLength + 30), { minLength: 1, maxLength: 40 });

  it('finds each wherever it stands, and none that was taken out, in whatever order they come and go', () => {
    fc.assert(
      fc.property(
        literals,
        fc.array(textOf(0, 12), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (all, between, seed) => {
          const table = new AnchorTable(leastLength);
          for (const [ref, literal] of all.entries()) table.add(literal, ref);
          const gone = new Set([...all.keys()].filter((ref) => (ref * 7 + seed) % 3 === 0));
          for (const ref of gone) table.remove(all[ref] ?? '', ref);
          const text = all.map((literal, at) => (between[at % between.length] ?? '') + literal).join('');
          const found = candidatesIn(table, text);
          for (const [ref, literal] of all.entries())
            for (const at of standsAt(text, literal)) expect(found.has(`${at} ${ref}`)).toBe(!gone.has(ref));
          expect([...found].some((one) => gone.has(Number(one.split(' ')[1])))).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds letters of the other case, and the other alphabet of base64', () => {
    const table = new AnchorTable(leastLength);
    table.add('aB-c_dEfGhIjKlMnOpQ', 1);
    const other = 'Ab+C/DeFgHiJkLmNoPq';
    for (const before of ['', 'x', 'xyz', 'x'.repeat(17)])
      expect(candidatesIn(table, `${before}${other} end`)).toContain(`${before.length} 1`);
  });

  it('says of bytes what it would say of them as Latin-1', () => {
    fc.assert(
      fc.property(
        literals,
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(),
        fc.boolean(),
        (all, noise, which, planted) => {
          const table = new AnchorTable(leastLength);
          for (const [ref, literal] of all.entries()) table.add(literal, ref);
          const literal = Buffer.from(all[which % all.length] ?? '', 'latin1');
          const bytes = Buffer.concat([noise, ...(planted ? [literal] : []), noise]);
          expect(table.mayHold(bytes)).toBe(candidatesIn(table, bytes.toString('latin1')).size > 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('looks few places up where all literals have their middles in common', () => {
    const table = new AnchorTable(leastLength);
    const shared = 'm'.repeat(40);
    for (let ref = 0; ref < 2000; ref += 1) table.add(`${String(ref).padStart(24, 'x')}${shared}`, ref);
    // Of two thousand literals at each of eight hundred places.
    expect(candidatesIn(table, shared.repeat(20)).size).toBeLessThan(20_000);
    expect(candidatesIn(table, `${'x'.repeat(20)}1234${shared}`)).toContain('0 1234');
  });

  it('takes and gives back thousands', () => {
    const table = new AnchorTable(leastLength);
    const literal = (ref: number): string => `literal ${Math.imul(ref + 1, 0x9e3779b1) >>> 0} of many ${ref}`;
    for (let ref = 0; ref < 5000; ref += 1) {
      table.add(literal(ref), ref);
      if (ref >= 100) table.remove(literal(ref - 100), ref - 100);
    }
    for (const ref of [4899, 0, 2500]) expect(candidatesIn(table, literal(ref)).has(`0 ${ref}`)).toBe(false);
    for (const ref of [4900, 4999]) expect(candidatesIn(table, literal(ref)).has(`0 ${ref}`)).toBe(true);
  });
});

it('goes on finding long literals when the first short one has come', () => {
  const table = new AnchorTable(12);
  const long = (ref: number): string => `a long literal number ${ref}`;
  for (let ref = 0; ref < 50; ref += 1) table.add(long(ref), ref);
  table.add('twelve chars', 50);
  table.remove(long(7), 7);
  const found = candidatesIn(table, `twelve chars, ${long(7)}`);
  expect([found.has('0 50'), found.has('14 7')]).toEqual([true, false]);
  expect(candidatesIn(table, `.....${long(49)}`)).toContain('5 49');
});
