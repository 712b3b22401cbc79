/** Rewriting held against the library that everybody encodes with, over descriptors of a real compiler. */
import {
  create,
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileProtos, ORDERS_PROTO } from '../../test/fixtures/protobuf.ts';
import {
  DescriptorError,
  openDescriptorSet,
  ProtobufError,
  rewriteMessage,
  rewriteStream,
  type FieldTree,
  type MaskedMessage,
  type Rewriting,
} from './index.ts';

/** proto2, with groups, required fields and an enumeration that does not begin with 0. */
const OLD_PROTO = `
syntax = "proto2";
package old;
enum Color { RED = 3; BLUE = 7; }
message Thing {
  required string name = 1;
  optional group Inner = 2 { optional string secret = 1; optional int32 n = 2; }
  optional Color color = 3;
  repeated fixed32 raw = 4;
  repeated sint64 packed = 5 [packed = true];
  extensions 100 to 200;
}
`;
/** A later version of acme.Card, whose new fields the older descriptor does not know. */
const NEWER_PROTO = ORDERS_PROTO.replace(
  'string holder_name = 4;',
  'string holder_name = 4; string later = 90; repeated Card more = 91; fixed32 word = 92; double d = 93; uint64 v = 94;',
);

let set: Buffer;
let order: DescMessage;
let newer: DescMessage;
let thing: DescMessage;
beforeAll(async () => {
  set = await compileProtos({ 'orders.proto': ORDERS_PROTO, 'old.proto': OLD_PROTO });
  order = messageOf(set, 'acme.Order');
  thing = messageOf(set, 'old.Thing');
  newer = messageOf(await compileProtos({ 'orders.proto': NEWER_PROTO }), 'acme.Order');
});

function messageOf(bytes: Uint8Array, name: string): DescMessage {
  const found = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes)).getMessage(name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
}

const maskedMessage = (name: string, ...paths: string[]): MaskedMessage =>
  openDescriptorSet(set).maskedMessage(name, paths);

interface At {
  readonly tree: FieldTree | undefined;
  readonly whole: boolean;
}

/** Replaces what the tree means, as masking does. */
const rewriting: Rewriting<At> = {
  message: () => undefined,
  enter: ({ tree, whole }, { number }) => {
    const inner = tree?.fields.get(number);
    return { tree: inner, whole: whole || inner?.whole === true };
  },
  string: (_, { whole }) => (whole ? '***' : undefined),
  bytes: (_, { whole }) => (whole ? Buffer.from('***') : undefined),
  number: (_, { whole }) => whole,
  dropsUnknown: ({ whole }) => whole,
};

function rewrite(bytes: Uint8Array, { shape, tree }: MaskedMessage): Uint8Array {
  return rewriteMessage(bytes, shape, { tree, whole: false }, rewriting);
}

const card = fc.record({
  number: fc.string({ unit: 'grapheme' }),
  digits: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  token: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')),
});
const json = fc.record(
  {
    id: fc.string({ unit: 'grapheme' }),
    card,
    others: fc.array(card, { maxLength: 4 }),
    byName: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), card, { maxKeys: 4 }),
    notes: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: 'grapheme' })),
    codes: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String), { maxLength: 6 }),
    tags: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
    kind: fc.constantFrom('KIND_GIFT', 'KIND_UNSPECIFIED'),
    total: fc.double({ noNaN: true, noDefaultInfinity: true }),
    serial: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    with: card,
    parent: fc.record({ id: fc.string({ unit: 'grapheme' }), card }),
    change: fc.integer(),
    done: fc.boolean(),
  },
  { requiredKeys: [] },
);

type Json = Parameters<typeof fromJson>[1];
const encode = (message: DescMessage, value: unknown): Uint8Array =>
  toBinary(message, fromJson(message, value as Json));
const decode = (message: DescMessage, bytes: Uint8Array): unknown =>
  toJson(message, fromBinary(message, bytes));

describe('rewriting', () => {
  it('gives the very same bytes where nothing is masked', () => {
    const none = maskedMessage('acme.Order');
    fc.assert(
      fc.property(json, (value) => {
        const bytes = encode(order, value);
        expect(rewrite(bytes, none)).toBe(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('replaces what a path means, in nested, repeated and mapped messages, and nothing else', () => {
    const paths = [
      'card.number',
      'others.digits',
      'by_name.token',
      'notes',
      'codes',
      'with.number',
      'parent.card.digits',
    ];
    const masked = maskedMessage('acme.Order', ...paths);
    const hidden = (value: Record<string, unknown> | undefined, member: string, put: unknown): void => {
      if (value !== undefined) value[member] = put;
    };
    fc.assert(
      fc.property(json, (value) => {
        // Written out, so that defaults are on the wire nowhere but where they were.
        const bytes = encode(order, value);
        const expected = structuredClone(decode(order, bytes)) as Record<string, never>;
        const deep = expected as Record<string, Record<string, unknown> & Record<string, unknown>[]>;
        if (deep['card']?.['number'] !== undefined) hidden(deep['card'], 'number', '***');
        if (deep['with']?.['number'] !== undefined) hidden(deep['with'], 'number', '***');
        for (const one of deep['others'] ?? []) delete one['digits'];
        for (const one of Object.values(deep['byName'] ?? {}) as Record<string, unknown>[])
          if (one['token'] !== undefined) one['token'] = Buffer.from('***').toString('base64');
        for (const key of Object.keys(deep['notes'] ?? {})) hidden(deep['notes'], key, '***');
        if (deep['codes'] !== undefined)
          hidden(
            expected,
            'codes',
            (deep['codes'] as unknown[]).map(() => '0'),
          );
        delete (deep['parent']?.['card'] as Record<string, unknown> | undefined)?.['digits'];
        expect(decode(order, rewrite(bytes, masked))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps unknown fields byte for byte, and drops those of a message that goes as a whole', () => {
    const later = {
      number: '4',
      later: 'x',
      more: [{ later: 'y' }],
      word: 7,
      d: 1.5,
      v: '18446744073709551615',
    };
    const bytes = encode(newer, { id: 'a', card: later, others: [later] });
    const known = maskedMessage('acme.Order', 'card.number', 'others');
    expect(decode(newer, rewrite(bytes, known))).toEqual({
      id: 'a',
      card: { ...later, number: '***' },
      others: [{ number: '***' }],
    });
  });

  it('goes into groups, packed and fixed numbers, and finds the neutral value of an enumeration', () => {
    const value = {
      name: 'n',
      inner: { secret: 's', n: 5 },
      color: 'BLUE',
      raw: [1, 2],
      packed: ['-3', '4'],
    };
    const bytes = encode(thing, value);
    const masked = maskedMessage('old.Thing', 'inner.secret', 'color', 'raw', 'packed');
    expect(decode(thing, rewrite(bytes, masked))).toEqual({
      ...value,
      inner: { secret: '***', n: 5 },
      color: 'RED',
      raw: [0, 0],
      packed: ['0', '0'],
    });
    expect(rewrite(bytes, maskedMessage('old.Thing'))).toBe(bytes);
  });

  it('goes through streams of messages that follow their length', () => {
    const { shape, tree } = maskedMessage('acme.Order', 'card');
    const one = encode(order, { id: 'one', card: { number: '1', digits: '2' } });
    const two = encode(order, { id: 'two' });
    const stream = Buffer.concat([one, two, one].flatMap((bytes) => [Buffer.of(bytes.length), bytes]));
    const masked = rewriteStream(stream, shape, { tree, whole: false }, rewriting);
    const hidden = rewriteMessage(one, shape, { tree, whole: false }, rewriting);
    expect(Buffer.from(masked)).toEqual(
      Buffer.concat([hidden, two, hidden].flatMap((bytes) => [Buffer.of(bytes.length), bytes])),
    );
    const clean = Buffer.concat([Buffer.of(two.length), two]);
    expect(rewriteStream(clean, shape, { tree, whole: false }, rewriting)).toBe(clean);
  });

  it('refuses whatever is no message, and never fails otherwise', () => {
    const masked = maskedMessage('acme.Order', 'card.number', 'codes', 'parent');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          fc.tuple(json, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
            const bytes = Uint8Array.from(encode(order, value));
            if (bytes.length > 0) bytes[at % bytes.length] = byte;
            return bytes;
          }),
        ),
        (bytes) => {
          try {
            rewrite(bytes, masked);
          } catch (error) {
            if (!(error instanceof ProtobufError)) throw error;
            expect(error.message).toMatch(/^(What should be|The protobuf) .*\.$/);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each<[string, number[], RegExp]>([
    ['a field that ends beyond it', [0x0a, 5, 1], /ends beyond/],
    ['a number without end', [0xf0, 0x01, ...Array.from({ length: 11 }, () => 0xff)], /more than ten bytes/],
    ['half a number', [0xf8], /ends within a number/],
    ['field number 0', [0x02, 0], /out of range/],
    ['wire type 7', [0xff, 0x01], /wire type/],
    ['an end without its group', [0xf4, 0x01], /wire type/],
    ['a group without end', [0xfb, 0x06, 8, 1], /ends within a number/],
    ['a string that is a number', [0x08, 1], /another type/],
    ['a string that is not UTF-8', [0x0a, 1, 0xff], /not UTF-8/],
  ])('refuses %s', (_, bytes, sentence) => {
    expect(() => rewrite(Uint8Array.from(bytes), maskedMessage('acme.Order', 'card.number'))).toThrow(
      sentence,
    );
  });

  it('refuses messages that lie too deep in one another', () => {
    let bytes = encode(order, { id: 'x' });
    for (let depth = 0; depth < 200; depth += 1)
      bytes = Buffer.concat([Buffer.of(0x72), Buffer.from(lengthOf(bytes)), bytes]);
    expect(() => rewrite(bytes, maskedMessage('acme.Order'))).toThrow(/more than 100 deep/);
  });
});

function lengthOf(bytes: Uint8Array): number[] {
  return bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
}

describe('descriptor sets', () => {
  it('take names of fields as they are in .proto files and in JSON', () => {
    const inBoth = ['by_name', 'byName'].map(
      (name) => maskedMessage('acme.Order', `${name}.holder_name`).tree,
    );
    expect(inBoth[0]).toEqual(inBoth[1]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no set', () => openDescriptorSet(Buffer.from('hello there')), /not a whole descriptor set/],
    ['nothing', () => openDescriptorSet(Buffer.alloc(0)), /holds no file/],
    ['half a set', () => openDescriptorSet(set.subarray(0, set.length / 2)), /not a whole descriptor set/],
    ['a set without its imports', () => openDescriptorSet(withoutImports()), /not a whole descriptor set/],
    [
      'another message',
      () => maskedMessage('acme.Nothing', 'id'),
      /does not hold the message acme.Nothing; it holds .*acme.Order/,
    ],
    ['a service or an enumeration', () => maskedMessage('acme.Kind', 'id'), /does not hold the message/],
    [
      'a field that is not there',
      () => maskedMessage('acme.Order', 'card.numbr'),
      /no field card.numbr: the message acme.Card has number, digits/,
    ],
    ['a path below a string', () => maskedMessage('acme.Order', 'id.x'), /below a field that is no message/],
  ])('are refused with a sentence for %s', (_, open, sentence) => {
    expect(open).toThrow(DescriptorError);
    expect(open).toThrow(sentence);
  });
});

function withoutImports(): Uint8Array {
  const read = fromBinary(FileDescriptorSetSchema, set);
  const file = read.file.filter(({ name }) => name === 'orders.proto');
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}
