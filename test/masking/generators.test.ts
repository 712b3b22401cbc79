/**
 * Detector by detector, on the data of other projects' generators. docs/masking-measured.md is written from it;
 * `npx vitest run test/masking/generators.test.ts -u` writes it anew.
 */
import { expect, test } from 'vitest';
import { PRESETS } from '../../proxy/engine/mask/detectors/index.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { precisionOf, recallOf, scoreByDetector, type DetectorScore } from './by-detector.ts';
import { scoreGenerated } from './generated.ts';
import { pythonTexts, whyNoPython } from './python.ts';

const MINUTES = 60_000;
const PYTHON_SEEDS = 100;
const NODE_SEEDS = 200;

describeUnless(
  whyNoPython(),
  'values of other generators',
  () => {
    test('each detector of personal data and cards finds them, and little else', async () => {
      const rows = scoreByDetector(await pythonTexts(PYTHON_SEEDS));
      const measured = rows.filter(({ planted }) => planted > 0);
      const low = measured.filter((row) => recallOf(row) < 0.97 || precisionOf(row) < 0.98);
      expect(low).toEqual([]);
      expect(rows.filter(({ planted, wrong }) => planted === 0 && wrong > 0)).toEqual([]);
      const all = [...PRESETS.PersonalData, ...PRESETS.PaymentCards].map(({ name }) => name);
      const others = all.filter((name) => !measured.some(({ detector }) => detector === name));
      // Measured on the data of @faker-js/faker.
      expect(others).toEqual(['phone']);
      await expect(page(measured)).toMatchFileSnapshot('../../docs/masking-measured.md');
    });
  },
  5 * MINUTES,
);

function page(rows: readonly DetectorScore[]): string {
  const detectors = rows.map((row) => {
    const { detector, planted, found, masks, wrong } = row;
    return `| \`${detector}\` | ${planted} | ${found} | ${recallOf(row).toFixed(3)} | ${masks} | ${wrong} | ${precisionOf(row).toFixed(3)} |`;
  });
  const kinds = scoreGenerated(NODE_SEEDS).map(
    ({ kind, planted, found, wrong }) =>
      `| ${kind} | ${planted} | ${found} | ${planted === 0 ? '' : (found / planted).toFixed(3)} | ${wrong} |`,
  );
  return `# Detectors, measured

On data of generators that other projects made, in texts that these made too. Written by test/masking/generators.test.ts, which
fails where a detector falls below a recall of 0.97 or a precision of 0.98; see [masking](masking.md) for what cannot be caught.

## Faker and python-stdnum (PyPI), ${PYTHON_SEEDS} seeds

Each value stands in a sentence, in a form and in a row of JSON, with what people call it before it or as its key: bare digits are
taken for nothing without. A number may be of two formats (an NHS number in groups is a phone number of the United States as well),
and then either name counts. Beside them stand hashes, ids, numbers, times, addresses and texts, of which nothing should be masked.

| detector | planted | found | recall | masks | wrong | precision |
| --- | --- | --- | --- | --- | --- | --- |
${detectors.join('\n')}

## @faker-js/faker, ${NODE_SEEDS} seeds in ten languages

| kind | planted | found | recall | wrong |
| --- | --- | --- | --- | --- |
${kinds.join('\n')}
`;
}
