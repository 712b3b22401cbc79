/** How good each detector is, on texts of which is known what stands in them. */
import { allPresets } from './generated.ts';
import { namesIn } from './masks.ts';

/** A text, and what in it should be masked; `detector` is undefined where nothing should. */
export interface Labelled {
  readonly detector: string | undefined;
  readonly value: string;
  readonly text: string;
}

export interface DetectorScore {
  readonly detector: string;
  /** Values that it should name, and how many of them do not leave. */
  readonly planted: number;
  readonly found: number;
  /** Masks that bear its name, and how many of them stand where something else stood. */
  readonly masks: number;
  readonly wrong: number;
}

/**
 * A number may be one of two formats: ten digits in groups are a phone number of the United States as well, and eighteen
 * in an issuer's range that pass Luhn are a card.
 */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  'uk-nhs-number': ['phone'],
  'cn-resident-id': ['payment-card'],
};

/** One row a detector, those that are only ever wrong included. */
export function scoreByDetector(texts: Iterable<Labelled>): DetectorScore[] {
  const masker = allPresets();
  const rows = new Map<string, { planted: number; found: number; masks: number; wrong: number }>();
  const rowOf = (detector: string) => {
    const row = rows.get(detector) ?? { planted: 0, found: 0, masks: 0, wrong: 0 };
    rows.set(detector, row);
    return row;
  };
  for (const { detector, value, text } of texts) {
    const result = { content: [{ type: 'text', text }] };
    const outcome = masker.message(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), { purpose: 'release' });
    const left = outcome.kind === 'released' ? outcome.text : '';
    const names = namesIn(left);
    const right = detector === undefined ? [] : [detector, ...(ALSO[detector] ?? [])];
    if (detector !== undefined) {
      rowOf(detector).planted += 1;
      const named = names.some((name) => right.includes(name));
      if (named && !left.includes(JSON.stringify(value).slice(1, -1))) rowOf(detector).found += 1;
    }
    // A value is masked once: a second mask of the same name stands for something else.
    const spare = [...names];
    const own = spare.findIndex((name) => right.includes(name));
    if (own !== -1) spare.splice(own, 1);
    for (const name of names) rowOf(name).masks += 1;
    for (const name of spare) rowOf(name).wrong += 1;
  }
  return Array.from(rows, ([detector, row]) => ({ detector, ...row })).sort((one, other) =>
    one.detector.localeCompare(other.detector),
  );
}

export const recallOf = ({ found, planted }: DetectorScore): number => found / planted;
export const precisionOf = ({ masks, wrong }: DetectorScore): number => (masks - wrong) / masks;
