/**
 * A tool's structured result and the text that repeats it stay the same thing, and the result stays what its outputSchema
 * promises, as the SDK that clients use judges it; or it is withheld.
 */
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MaskPolicy } from '../../../crds/bundle.ts';
import { PRESETS } from './detectors/index.ts';
import { compileMasker, createKnownSecrets, type MaskOutcome } from './index.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const KNOWN = 'orders-4711-backend';
const known = createKnownSecrets({ now: () => 0 });
known.set('test', [KNOWN]);

const ACTIONS = ['Redact', 'Partial', 'Hash'] as const;

function policy(action: MaskPolicy['action'], more: Partial<MaskPolicy> = {}): MaskPolicy {
  return maskPolicy({
    name: `test/${action.toLowerCase()}`,
    direction: 'Both',
    detectors: [
      { preset: 'Credentials' },
      { preset: 'PaymentCards' },
      { preset: 'PersonalData' },
      { name: 'employee', pattern: 'E-[0-9]{6}' },
    ],
    fields: [{ keys: ['password', 'api_key', 'note'] }, { jsonPath: '$.rows[*].memo' }],
    action,
    ...more,
  });
}

/** One masker for each set of policies: a single action, and one action for keys over another for what is found. */
const MASKERS = ACTIONS.flatMap((action) => [
  [policy(action)],
  [
    policy(action, { fields: [] }),
    policy('Hash', { name: 'test/keys', detectors: [], fields: [{ keys: ['note'] }] }),
  ],
]).map((policies) => compileMasker(policies, { known, hashKey: new Uint8Array(32) }));

const examples = Object.values(PRESETS)
  .flat()
  .flatMap((detector) => (detector.cue === 'member' ? [] : detector.examples().positive));

const leaf = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...examples, KNOWN, 'E-123456', 'ada@example.org') },
  fc.tuple(fc.lorem({ maxCount: 3 }), fc.constantFrom(...examples, KNOWN)).map((words) => words.join(' ')),
  fc.string(),
  fc.constantFrom(4111111111111111, 5500005555555559, 1.5, -7, 0, true, false, null, ''),
  fc.constantFrom('a\nb\t"c"', '\u2028', 'é 日本', '\\u0041', '<b>&amp;</b>'),
);
const key = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('password', 'api_key', 'note', 'memo', 'rows', 'id', 'name', 'token'),
  },
  fc.constantFrom(KNOWN, `x-${KNOWN}`, 'ada@example.org', 'a b', '', 'é'),
);
const { value } = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('object'),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
}));
const structure = fc.dictionary(key, value, { minKeys: 1, maxKeys: 5 });

/** As servers write JSON: by JavaScript, Python, Go, and for people to read. */
const WRITINGS: readonly ((value: unknown) => string)[] = [
  (one) => JSON.stringify(one),
  (one) => JSON.stringify(one, null, 2),
  (one) => JSON.stringify(one, null, '\t').replaceAll('\n', '\r\n'),
  (one) => JSON.stringify(one).replaceAll(/[<>&\u2028\u2029]/g, escaped),
  (one) => JSON.stringify(one).replaceAll(/[^\x20-\x7e]/g, escaped),
];

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

interface Result {
  readonly content: readonly [{ readonly text: string }];
  readonly structuredContent: unknown;
}

function resultOf(outcome: MaskOutcome & { readonly kind: 'released' }): Result {
  return (JSON.parse(outcome.text) as { result: Result }).result;
}

it('the text is the structure, whatever was masked in both', () => {
  const counts = { released: 0, masked: 0 };
  fc.assert(
    fc.property(
      structure,
      fc.constantFrom(...MASKERS),
      fc.constantFrom(...WRITINGS),
      (structuredContent, masker, write) => {
        const result = { content: [{ type: 'text', text: write(structuredContent) }], structuredContent };
        const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result });
        const outcome = masker.message(message, { purpose: 'release' });
        if (outcome.kind === 'withheld') return;
        counts.released += 1;
        counts.masked += outcome.masked.length;
        const released = resultOf(outcome);
        expect(JSON.parse(released.content[0].text)).toEqual(released.structuredContent);
      },
    ),
    { numRuns: 3000 },
  );
  expect(counts.released).toBeGreaterThan(2500);
  expect(counts.masked).toBeGreaterThan(1000);
});

/** A schema that the value meets and that others would not: types, closed objects, now and then an enum or a length. */
function schemaOf(one: unknown, strict: number): Record<string, unknown> {
  if (one === null) return { type: 'null' };
  if (Array.isArray(one))
    return one.length === 0 ? {} : { type: 'array', prefixItems: one.map((item) => schemaOf(item, strict)) };
  if (typeof one === 'object') {
    const properties = Object.fromEntries(
      Object.entries(one).map(([name, member]) => [name, schemaOf(member, strict + 1)]),
    );
    return { type: 'object', properties, ...(strict % 2 === 0 ? { additionalProperties: false } : {}) };
  }
  if (typeof one !== 'string') return { type: typeof one };
  const more = [{}, { enum: [one, 'other'] }, { maxLength: one.length + 4 }, { minLength: 1 }, {}][
    strict % 5
  ];
  return one === '' ? { type: 'string' } : { type: 'string', ...more };
}

it('what was promised is kept, as the validator of the SDK sees it, or withheld', () => {
  const counts = { released: 0, withheld: 0 };
  const validator = new AjvJsonSchemaValidator();
  fc.assert(
    fc.property(structure, fc.constantFrom(...MASKERS), fc.nat(9), (structuredContent, masker, strict) => {
      const outputSchema = schemaOf(structuredContent, strict);
      const validate = validator.getValidator(outputSchema);
      expect(validate(structuredContent).valid).toBe(true);
      const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [], structuredContent } });
      const outcome = masker.message(message, { purpose: 'release', outputSchema });
      counts[outcome.kind] += 1;
      if (outcome.kind === 'released') expect(validate(resultOf(outcome).structuredContent).valid).toBe(true);
    }),
    { numRuns: 1000 },
  );
  expect(counts.released).toBeGreaterThan(50);
  expect(counts.withheld).toBeGreaterThan(50);
});

it('a policy that blocks withholds both', () => {
  const blocking = compileMasker([policy('Block')], { known, hashKey: new Uint8Array(32) });
  for (const example of examples) {
    const structuredContent = { deep: [example] };
    const result = {
      content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
      structuredContent,
    };
    const outcome = blocking.message(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), {
      purpose: 'release',
    });
    expect([example.slice(0, 8), outcome.kind]).toEqual([example.slice(0, 8), 'withheld']);
  }
});
