import { describe, expect, it } from 'vitest';
import { Budget } from '../budget.ts';
import { featuresOf } from '../features.ts';
import { PatternMatcher } from '../pattern-matcher.ts';
import type { Found } from '../types.ts';
import type { BuiltinDetector } from './detector.ts';
import { PRESETS } from './index.ts';

const all = Object.values(PRESETS).flat();

/** What one detector alone finds in a text. */
function find(detector: BuiltinDetector, text: string, key?: string): Found[] {
  const matcher = new PatternMatcher([detector]);
  const budget = new Budget(Infinity);
  return [
    ...matcher.literals.find(text, key, budget),
    ...matcher.numbers.find(text, featuresOf(text).numbers, key, budget),
    ...(key === undefined ? [] : matcher.member(text, key)),
  ];
}

/** The examples of detectors that look at keys are written key=value. */
function memberOf(detector: BuiltinDetector, text: string): [string | undefined, string] {
  if (detector.cue !== 'member') return [undefined, text];
  const [key = '', value = ''] = text.split('=', 2);
  return [key, value];
}

describe.each(all.map((detector) => ({ name: detector.name, detector })))('$name', ({ detector }) => {
  const { positive, negative } = detector.examples();

  it('has examples of both kinds and says where its format is defined', () => {
    expect(positive.length).toBeGreaterThan(0);
    expect(negative.length).toBeGreaterThan(0);
    expect(detector.source).toMatch(/^https:\/\/|^RFC |^ISO |^ITU-T |^[A-Z].{10}/);
    expect(detector.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it.each(positive)('finds positive example %#', (text) => {
    const [member, value] = memberOf(detector, text);
    expect(find(detector, value, member)).toHaveLength(1);
  });

  it.each(positive)('finds positive example %# amid other text', (text) => {
    if (detector.cue === 'member') return;
    const around = `Notes:\n "${text}", and (${text}) again.\n`;
    const spans = find(detector, around);
    expect(spans).toHaveLength(2);
    const alone = find(detector, text)[0];
    for (const { start, end } of spans)
      expect(around.slice(start, end)).toBe(text.slice(alone?.start, alone?.end));
  });

  it.each(negative)('does not find negative example %#', (text) => {
    const [member, value] = memberOf(detector, text);
    expect(find(detector, value, member)).toEqual([]);
  });
});

it('looks for no literal that JSON would write in another way', () => {
  for (const detector of all.filter((one) => one.cue === 'literal'))
    for (const literal of detector.literals) expect(JSON.stringify(literal)).toBe(`"${literal}"`);
});

it('gives every detector a name of its own', () => {
  expect(new Set(all.map((detector) => detector.name)).size).toBe(all.length);
});

it('keeps number patterns short, so that no text makes them slow', () => {
  const digits = '4'.repeat(200_000);
  const spaced = '4 '.repeat(100_000);
  const mixed = '+4.(5)-'.repeat(30_000);
  for (const detector of all.filter((one) => one.cue === 'digits')) {
    for (const text of [digits, spaced, mixed])
      expect([...text.matchAll(detector.pattern)].length).toBeLessThan(text.length);
  }
});

it('takes the numbers of everyday data for nothing else', () => {
  const detectors = [...PRESETS.PaymentCards, ...PRESETS.PersonalData];
  const found: string[] = [];
  const look = (text: string): void => {
    for (const detector of detectors)
      if (find(detector, text, 'order_id').length > 0) found.push(`${detector.name}: ${text}`);
  };
  // A linear congruence gives the same numbers every time.
  let seed = 12_345;
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let round = 0; round < 3000; round += 1) {
    look(`order ${8 + next(2)}${String(next(1e9)).padStart(9, '0')}`);
    look(`${1_600_000_000_000 + next(200_000_000) * 1000}`);
    look(`${next(900) + 100} ${next(900) + 100} ${next(900) + 100}`);
    look(`${next(900) + 100}.${next(900) + 100}.${next(900) + 100},${next(90) + 10}`);
    look(new Date(next(2_000_000_000) * 1000).toISOString());
    look(`${next(256)}.${next(256)}.${next(256)}.${next(256)}:${next(65_536)}`);
    look(`${next(1e6)}.${next(1e9)}`);
    look(`v${next(30)}.${next(3000)}.${next(30_000_000)}`);
    look(String(next(1e9)).padStart(9, '0'));
  }
  expect(found).toEqual([]);
});
