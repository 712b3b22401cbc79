/** What a detector finds by itself, the masker must find in a message: nothing that spares a look may hide it. */
import { expect, it } from 'vitest';
import { PRESETS } from './detectors/index.ts';
import { compileMasker, createKnownSecrets } from './index.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const masker = compileMasker(
  [
    maskPolicy({
      name: 'test/all',
      direction: 'Both',
      detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
    }),
  ],
  { known: createKnownSecrets({ now: () => 0 }), hashKey: new Uint8Array(32) },
);

const CARRIERS: readonly (readonly [string, (text: string) => object])[] = [
  ['text', (text) => ({ content: [{ type: 'text', text }] })],
  ['JSON in a text', (text) => ({ content: [{ type: 'text', text: JSON.stringify({ note: text }) }] })],
  [
    'JSON in JSON in a text',
    (text) => ({ content: [{ type: 'text', text: JSON.stringify({ a: JSON.stringify([text]) }) }] }),
  ],
  ['structured content', (text) => ({ structuredContent: { rows: [{ note: text }] } })],
  ['an error', (text) => ({ isError: true, content: [{ type: 'text', text: `failed: ${text}` }] })],
];

it.each(CARRIERS)('masks every positive example in %s', (_, carry) => {
  const missed: string[] = [];
  for (const detector of Object.values(PRESETS).flat()) {
    if (detector.cue === 'member') continue;
    for (const [at, example] of detector.examples().positive.entries()) {
      const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: carry(example) });
      const outcome = masker.message(message, { purpose: 'release' });
      if (outcome.kind === 'withheld' || outcome.masked.length === 0) missed.push(`${detector.name} ${at}`);
    }
  }
  expect(missed).toEqual([]);
});

const MEMBER_CARRIERS: readonly ((member: object) => object)[] = [
  (member) => ({ structuredContent: { rows: [member] } }),
  (member) => ({ content: [{ type: 'text', text: JSON.stringify(member) }] }),
  (member) => ({ content: [{ type: 'text', text: JSON.stringify({ deep: JSON.stringify(member) }) }] }),
];

it.each(MEMBER_CARRIERS)('masks what a key gives away in a member, carrier %#', (carry) => {
  const examples = Object.values(PRESETS)
    .flat()
    .filter((detector) => detector.cue === 'member')
    .flatMap((detector) => detector.examples().positive);
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) {
    const [key = '', value = ''] = example.split('=', 2);
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: carry({ [key]: value }) });
    expect(JSON.stringify(masker.message(message, { purpose: 'release' }))).not.toContain(value);
  }
});
