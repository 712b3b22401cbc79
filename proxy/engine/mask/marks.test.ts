import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskDocument, type Document } from './document.ts';
import { Budget } from './budget.ts';
import { ALPHANUMERIC, filler } from './detectors/detector.ts';
import { PRESETS } from './detectors/index.ts';
import { createKnownSecrets } from './known-secrets.ts';
import { Ledger } from './ledger.ts';
import { marksIn } from './marks.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import { NO_POLICIES } from './place.ts';
import { Plan } from './plan.ts';
import { compilePolicy } from './policy.ts';
import { MESSAGE } from './shape.ts';
import { maskString } from './strings.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const policy = maskPolicy({
  direction: 'Both',
  detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
  fields: [{ keys: ['ssn', 'api_key', 'Pass-Word'] }],
});
const plan = new Plan([compilePolicy(policy)]);
const HELD = `zq-${filler(ALPHANUMERIC, 21)}`;
const known = createKnownSecrets({ now: () => 0 });
known.set('test', [HELD]);

/** What looks at everything, since it is told that the text says nothing of it. */
class Thorough extends Plan {
  override readonly matcher = new (class extends PatternMatcher {
    override mayMatch(): boolean {
      return true;
    }
  })(compilePolicy(policy).detectors);

  override get readsSurface(): boolean {
    return false;
  }
}
const thorough = new Thorough([compilePolicy(policy)]);

/** What is masked where, and what becomes of it. */
function maskedBy(by: Plan, text: string): unknown {
  const probe = { known, matcher: by.matcher, budget: new Budget(1e9) };
  const ledger = new Ledger(by, 'record', new Uint8Array(32));
  const work = { plan: by, probe, ledger, live: false, maskString, seams: new Map(), promise: undefined };
  const root: Document = {
    text,
    trie: undefined,
    shape: MESSAGE,
    path: '$',
    selected: [],
    excluded: NO_POLICIES,
    nesting: 0,
  };
  return { edits: maskDocument(work, root), masked: ledger.masked };
}

const examples = Object.values(PRESETS)
  .flat()
  .flatMap((detector) => detector.examples().positive);

/** Numbers that are something only where a word says so, before them or in their key. */
const named = examples.flatMap((example) => /^[a-zø_ ]+ ([0-9 -]+[A-Z]?)$/.exec(example)?.[1] ?? []);
const bare = named.map((number) => number.replaceAll(/[ -]/g, ''));

const encodings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('base64url'),
  (text) => Buffer.from(text).toString('hex'),
  (text) => encodeURIComponent(text),
  (text) => text.replaceAll(/./g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`),
  (text) => text.replaceAll(/[a-z]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (text) => text.replaceAll(/./gs, '$&\u200b'),
  (text) => text.replaceAll(/.{20}/g, '$&\n'),
  (text) => JSON.stringify(text),
  (text) => JSON.stringify({ value: text }),
  (text) => JSON.stringify({ [text]: 1 }, null, 2),
  (text) => JSON.stringify({ note: 'x', 'api\nkey': text, id: 1 }),
];

const planted = fc
  .tuple(
    fc.oneof(fc.constantFrom(HELD, ...examples), fc.constantFrom(...named, ...bare)),
    fc.array(fc.constantFrom(...encodings), { maxLength: 3 }),
    fc.constantFrom(
      '',
      ' ',
      '\n',
      '\\',
      '\\n',
      '"',
      ': ',
      'n',
      '4',
      'é',
      '/',
      '\t',
      'nhs ',
      'my\nSIN: ',
      'userDni=',
      'Steuer',
    ),
    fc.constantFrom('', ' ', '\n', '\\', '"', ';', '.', '5', '='),
  )
  .map(([secret, layers, before, after]) => before + layers.reduce((text, one) => one(text), secret) + after);

const word = fc.oneof(
  fc.lorem({ maxCount: 6 }),
  fc.uuid(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.integer().map(String),
  fc.stringMatching(/^[ -~\n]{0,30}$/),
  fc.string({
    unit: fc.constantFrom('"', '\\', 'n', ':', ' ', '{', '}', 's', '1', '%', '\n', '-'),
    maxLength: 12,
  }),
);
const key = fc.constantFrom(
  'id',
  'note',
  'ssn',
  'S-S-N',
  'api"key',
  'api\\key',
  'a\npikey',
  'api_key\n',
  'token',
  'nhsNumber',
  'Tax Id',
  'FØDSEL',
  'bsn"',
);
const leaf = fc.oneof(
  word,
  fc
    .constantFrom(...bare)
    .filter((number) => /^[1-9][0-9]{8,14}$/.test(number))
    .map(Number),
  fc.tuple(fc.lorem({ maxCount: 20 }), planted).map((parts) => parts.join(' ')),
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true }),
  planted,
);
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(key, word), tie('value'), { maxKeys: 4 }),
    tie('value').map((inner) => JSON.stringify(inner)),
    tie('value').map((inner) => `Result:\n${JSON.stringify(inner, null, 1)}\n`),
  ),
})).value;
const message = fc
  .tuple(value, fc.constantFrom('structuredContent', 'content', 'other'), fc.constantFrom(0, 2))
  .map(([inner, member, indent]) =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { [member]: inner } }, null, indent),
  );

describe('marks', () => {
  it('leave out nothing that a look at everything finds', () => {
    fc.assert(
      fc.property(message, (text) => {
        expect(maskedBy(plan, text)).toEqual(maskedBy(thorough, text));
      }),
      { numRuns: 3000 },
    );
  });

  it.each(examples)('lead to every example, and to each of its encodings: %#', (example) => {
    for (const encode of encodings) {
      const text = JSON.stringify({ result: { structuredContent: { note: encode(example) } } });
      expect(maskedBy(plan, text)).toEqual(maskedBy(thorough, text));
    }
  });

  it('are none in what tools usually say', () => {
    const row = {
      id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      at: '2026-11-20T10:11:12.000Z',
      at_desk: 'front desk',
      order: '10.1.12.113 since 20.11.2026',
    };
    const content = [{ type: 'text', text: JSON.stringify({ rows: [row, row], 'a path': "it's done" }) }];
    for (const result of [{ content }, { structuredContent: row }]) {
      const probe = { known, matcher: plan.matcher, budget: new Budget(1e9) };
      expect(marksIn(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), plan, probe).isEmpty).toBe(true);
    }
  });
});
