/**
 * What masking costs, in CPU time of one core: microseconds for a message of about 1 KB, megabytes a second for one of
 * about 1 MB; the worst that input can do; the same work done in other ways; memory. And how good it is, on data that the
 * detectors were not written on.
 *
 * BENCH_MASK_OUT names the JSON file (default bench-results.masking.json).
 */
import { writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import type { MaskPolicy } from '../../../crds/bundle.ts';
import { compileMasker, createKnownSecrets, type Masker } from '../../../proxy/engine/mask/index.ts';
import { maskBenign, packageFiles } from '../../masking/benign.ts';
import { precision, recall, scoreGenerated } from '../../masking/generated.ts';
import { scoreByDetector } from '../../masking/by-detector.ts';
import { pythonTexts, whyNoPython } from '../../masking/python.ts';
import { recallOfKnownSecrets } from '../../masking/recall.ts';
import { resultsOfServers, whyNoServers } from '../../masking/servers.ts';
import { rivals, timed } from './rivals.ts';
import { hostile, ordinary, type Sample } from './texts.ts';
import { maskPolicy } from '../../fixtures/mask-policy.ts';

const OUT = process.env['BENCH_MASK_OUT'] ?? 'bench-results.masking.json';
const SECRETS = 500;
/** Characters to go through before and during a measurement. */
const ENOUGH = 10_000_000;
const ROUNDS = 9;
/** Until the compiler is done. */
const WARM_ROUNDS = 4;

const values = Array.from({ length: SECRETS }, (_, at) => randomBytes(12 + (at % 24)).toString('base64url'));
const before = memory();
const known = createKnownSecrets({ now: () => 0 });
known.set('bench', values);
const tablesMegabytes = (memory() - before) / 1e6;
console.log(`${SECRETS} known secrets: ${tablesMegabytes.toFixed(1)} MB`);

const everything = maskPolicy({
  name: 'bench/everything',
  detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
  fields: [{ keys: ['password', 'api_key', 'token'] }],
});
const own = { name: 'employee-id', pattern: '[A-Z]-[0-9]{6}' };
const maskerWith = (...policies: MaskPolicy[]): Masker =>
  compileMasker(policies, { known, hashKey: new Uint8Array(32) });
const maskers = {
  'known secrets': maskerWith(),
  'all presets': maskerWith(everything),
  'and a pattern': maskerWith({ ...everything, detectors: [...everything.detectors, own] }),
};

const samples = ordinary(values);
const costs = Object.entries(maskers).flatMap(([policies, masker]) =>
  samples.map((sample) => ({ policies, ...costOf(masker, sample) })),
);
console.table(
  costs.map(({ policies, title, micros, rate }) => ({
    policies,
    title,
    µs: Math.round(micros),
    'MB/s': Math.round(rate),
  })),
);

const usual = samples.find(({ title }) => title === 'JSON in text, 1 MB')?.text ?? '';
const attacks = hostile(values[0] ?? '')
  .map((sample) => compared(maskers['all presets'], usual, sample))
  .sort((a, b) => b.times - a.times);
console.table(
  attacks
    .slice(0, 20)
    .map(({ title, rate, times }) => ({ title, 'MB/s': rate.toFixed(1), '× ordinary': times.toFixed(1) })),
);

const megabyte = samples.find(({ title }) => title === 'structured with secrets, 1 MB')?.text ?? '';
const ways = [
  { name: 'gatehouse', micros: costOf(maskers['all presets'], { title: '', text: megabyte }).micros },
  ...rivals(values).map(({ name, micros }) => ({ name, micros: micros(megabyte) })),
].map(({ name, micros }) => ({ name, rate: micros === undefined ? undefined : megabyte.length / micros }));
console.table(ways.map(({ name, rate }) => ({ name, 'MB/s': rate?.toFixed(2) ?? 'not here' })));

const recalls = recallOfKnownSecrets(25);
const scores = scoreGenerated(500);
const benign = maskBenign(packageFiles(25), whyNoServers() === undefined ? await serversResults() : []);
const detectors = whyNoPython() === undefined ? scoreByDetector(await pythonTexts(300)) : [];
console.table(
  recalls.map(({ encoding, planted, caught }) => ({
    encoding,
    planted,
    recall: (caught / planted).toFixed(3),
  })),
);
console.table(scores);
console.table(detectors);
console.log(
  `Generated values: precision ${precision(scores).toFixed(4)}, recall ${recall(scores).toFixed(4)}.`,
);
console.log(
  `Benign: ${benign.megabytes.toFixed(1)} MB in ${benign.results} results, ${benign.withheld} withheld, ${benign.falsePerMegabyte.toFixed(2)} false masks a MB.`,
);

const figures = {
  tablesMegabytes,
  costs,
  attacks,
  compared: ways,
  recalls,
  scores,
  detectors,
  benign: { ...benign, masks: [...benign.masks] },
};
await writeFile(
  OUT,
  `${JSON.stringify({ at: new Date().toISOString(), cpu: cpus()[0]?.model, ...figures }, null, 2)}\n`,
);
console.log(`Written to ${OUT}.`);

async function serversResults(): Promise<object[]> {
  return [...(await resultsOfServers(15)).values()].flat();
}

/** The median of some rounds. */
function costOf(masker: Masker, { title, text }: Sample): { title: string; micros: number; rate: number } {
  const micros = middleOf(
    rounds(() => microsOf(masker, text)),
    (one) => one,
  );
  return { title, micros, rate: text.length / micros };
}

/** How many times as long as for ordinary input a character takes: the two in turns, since machines are noisy. */
function compared(
  masker: Masker,
  ordinaryText: string,
  { title, text }: Sample,
): { title: string; rate: number; times: number } {
  const turns = rounds(() => {
    const ordinaryRate = ordinaryText.length / microsOf(masker, ordinaryText);
    const rate = text.length / microsOf(masker, text);
    return { rate, times: ordinaryRate / rate };
  });
  return { title, ...middleOf(turns, ({ times }) => times) };
}

/** CPU microseconds for a message. */
function microsOf(masker: Masker, text: string): number {
  const times = Math.max(1, Math.ceil(ENOUGH / ROUNDS / text.length));
  return timed(times, () => masker.message(text, { purpose: 'release' }));
}

/** As often as is measured, when the compiler is done. */
function rounds<T>(once: () => T): T[] {
  return Array.from({ length: WARM_ROUNDS + ROUNDS }, once).slice(WARM_ROUNDS);
}

function middleOf<T>(all: readonly T[], measure: (one: T) => number): T {
  const middle = all.toSorted((a, b) => measure(a) - measure(b))[all.length >> 1];
  if (middle === undefined) throw new Error('Nothing was measured.');
  return middle;
}

function memory(): number {
  globalThis.gc?.();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
