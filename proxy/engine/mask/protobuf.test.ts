/** Protobuf messages in results of MCP and beside it, masked by descriptors of a real compiler. */
import {
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MaskPolicy } from '../../../crds/bundle.ts';
import { compileProtos, ORDERS_PROTO } from '../../../test/fixtures/protobuf.ts';
import { ALPHANUMERIC, filler } from './detectors/detector.ts';
import { compileMasker, createKnownSecrets, MaskPolicyError, type Masker } from './index.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const SECRET = `zq${filler(ALPHANUMERIC, 30)}`;
const CARD = '4111 1111 1111 ' + '1111';
const TYPE = 'application/x-protobuf';
const HIDDEN = '[REDACTED:protobuf:card.number]';

let set: string;
let order: DescMessage;
beforeAll(async () => {
  const bytes = await compileProtos({ 'orders.proto': ORDERS_PROTO });
  set = bytes.toString('base64');
  const found = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes)).getMessage('acme.Order');
  if (found === undefined) throw new Error('There is no order.');
  order = found;
});

function policy(parts: Partial<MaskPolicy> = {}, fields: readonly string[] = ['card.number']): MaskPolicy {
  return maskPolicy({
    direction: 'Both',
    protobuf: [{ mimeType: TYPE, descriptorSet: set, message: 'acme.Order', fields: [...fields] }],
    ...parts,
  });
}

function masker(...policies: MaskPolicy[]): Masker {
  const known = createKnownSecrets({ now: () => 0 });
  known.set('test', [SECRET]);
  return compileMasker(policies, { known, hashKey: new Uint8Array(32) });
}

const bytesOf = (value: object): Buffer =>
  Buffer.from(toBinary(order, fromJson(order, value as Parameters<typeof fromJson>[1])));
const orderIn = (bytes: Uint8Array): unknown => toJson(order, fromBinary(order, bytes));
const base64 = (value: object): string => bytesOf(value).toString('base64');

const value = { id: '7', card: { number: CARD, holderName: 'Ada' }, tags: ['a'] };
const masked = { id: '7', card: { number: HIDDEN, holderName: 'Ada' }, tags: ['a'] };

function release(one: Masker, result: unknown) {
  return one.message(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), { purpose: 'release' });
}

function released(one: Masker, result: unknown): string {
  const outcome = release(one, result);
  if (outcome.kind === 'withheld') throw new Error(outcome.reason);
  return outcome.text;
}

/** The message in the first base64 behind a key. */
function orderBehind(key: string, text: string): unknown {
  const found = new RegExp(`\\\\?"${key}\\\\?":\\\\?"([^"\\\\]*)`).exec(text)?.[1] ?? '';
  return orderIn(Buffer.from(found, 'base64'));
}

describe('a protobuf message', () => {
  it.each<[string, (blob: string) => object, string]>([
    ['resource contents', (blob) => ({ contents: [{ uri: 'a:b', mimeType: TYPE, blob }] }), 'blob'],
    ['a type that comes after it', (blob) => ({ contents: [{ uri: 'a:b', blob, mimeType: TYPE }] }), 'blob'],
    [
      'a type with parameters',
      (blob) => ({ contents: [{ blob, mimeType: `${TYPE.toUpperCase()}; v=1` }] }),
      'blob',
    ],
    [
      'an embedded resource',
      (blob) => ({ content: [{ type: 'resource', resource: { uri: 'a:b', mimeType: TYPE, blob } }] }),
      'blob',
    ],
    ['an image block', (data) => ({ content: [{ type: 'image', mimeType: TYPE, data }] }), 'data'],
    [
      'structured content',
      (payload) => ({ structuredContent: { rows: [{ contentType: TYPE, payload }] } }),
      'payload',
    ],
    [
      'JSON in text',
      (payload) => ({ content: [{ type: 'text', text: JSON.stringify({ 'content-type': TYPE, payload }) }] }),
      'payload',
    ],
  ])('in %s is masked field by field', (_, result, key) => {
    const one = masker(policy());
    const outcome = release(one, result(base64(value)));
    expect(outcome.masked).toEqual([
      {
        path: expect.stringMatching(/^\$\.result\..*\.card\.number$/) as unknown,
        detector: 'protobuf:card.number',
      },
    ]);
    expect(orderBehind(key, released(one, result(base64(value))))).toEqual(masked);
    // One without what is masked stays byte for byte.
    const clean = JSON.stringify({ jsonrpc: '2.0', id: 1, result: result(base64({ id: '7' })) });
    expect(one.message(clean, { purpose: 'release' })).toMatchObject({ text: clean, masked: [] });
  });

  it('of another type, or none, is a blob like any other', () => {
    for (const mimeType of ['application/octet-stream', undefined]) {
      const text = JSON.stringify({ result: { contents: [{ mimeType, blob: base64(value) }] } });
      expect(masker(policy()).message(text, { purpose: 'release' })).toMatchObject({ text, masked: [] });
    }
  });

  it('keeps base64url, and its padding', () => {
    const blob = bytesOf({ ...value, photo: Buffer.alloc(40, 0xfb).toString('base64') }).toString(
      'base64url',
    );
    const text = released(masker(policy()), { contents: [{ mimeType: TYPE, blob }] });
    expect(/"blob":"([A-Za-z0-9_-]+)"/.exec(text)?.[1]).toBeDefined();
  });

  it('is searched for what detectors and keys are for, too', () => {
    const one = masker(
      policy({ detectors: [{ preset: 'PaymentCards' }], fields: [{ keys: ['holderName', 'codes'] }] }, [
        'tags',
      ]),
    );
    const text = released(one, {
      contents: [{ mimeType: TYPE, blob: base64({ ...value, codes: ['5'], notes: { a: `x ${SECRET}` } }) }],
    });
    expect(orderBehind('blob', text)).toEqual({
      id: '7',
      card: { number: '[REDACTED:payment-card]', holderName: '[REDACTED:key:holderName]' },
      tags: ['[REDACTED:protobuf:tags]'],
      codes: ['0'],
      notes: { a: 'x [REDACTED:known-secret]' },
    });
  });

  it('with a value that the proxy holds where nothing can stand for it goes as a whole', () => {
    const unknown = Buffer.concat([
      bytesOf(value),
      Buffer.of(0xfa, 0x3f, SECRET.length),
      Buffer.from(SECRET),
    ]);
    const text = released(masker(policy()), {
      contents: [{ mimeType: TYPE, blob: unknown.toString('base64') }],
    });
    expect(text).toContain(Buffer.from('[REDACTED:known-secret]').toString('base64'));
  });

  it.each<[string, string]>([
    ['no base64', 'not base64!'],
    ['no message', Buffer.from('hello world').toString('base64')],
    ['half a message', ''],
  ])('that is %s is withheld with a sentence', (_, given) => {
    const blob = given === '' ? bytesOf(value).subarray(0, -4).toString('base64') : given;
    expect(release(masker(policy()), { contents: [{ mimeType: TYPE, blob }] })).toMatchObject({
      kind: 'withheld',
      reason: expect.stringMatching(/^(What should be|The protobuf).*\.$/) as unknown,
    });
  });

  it('is masked by the strongest of the actions that policies name', () => {
    const actions = {
      Partial: /^\[PARTIAL:protobuf:card\.number:1111\]$/,
      Hash: /^\[HASH:/,
      Redact: /^\[REDACTED:/,
    };
    const so_far: MaskPolicy[] = [];
    for (const [action, shape] of Object.entries(actions)) {
      so_far.unshift(policy({ name: `tools/${action}`, action: action as MaskPolicy['action'] }));
      const text = released(masker(...so_far), { contents: [{ mimeType: TYPE, blob: base64(value) }] });
      expect(orderBehind('blob', text)).toMatchObject({
        card: { number: expect.stringMatching(shape) as unknown },
      });
    }
    const block = policy({ name: 'tools/block', action: 'Block' });
    expect(
      release(masker(...so_far, block), { contents: [{ mimeType: TYPE, blob: base64(value) }] }),
    ).toMatchObject({
      kind: 'withheld',
      reason: expect.stringContaining('tools/block') as unknown,
    });
  });

  it('is only counted by a policy in mode Audit', () => {
    const text = JSON.stringify({ result: { contents: [{ mimeType: TYPE, blob: base64(value) }] } });
    expect(masker(policy({ mode: 'Audit' })).message(text, { purpose: 'release' })).toMatchObject({
      text,
      masked: [],
      audited: [{ detector: 'protobuf:card.number' }],
    });
  });

  it('is masked in arguments too', () => {
    const call = {
      method: 'tools/call',
      params: { name: 'x', arguments: { mimeType: TYPE, data: base64(value) } },
    };
    const outcome = masker(policy()).message(JSON.stringify(call), { purpose: 'request' });
    expect(outcome.kind === 'released' && orderBehind('data', outcome.text)).toEqual(masked);
  });
});

describe('a body beside MCP', () => {
  const about = { purpose: 'release' } as const;

  it('that is a described message is masked field by field, and else stays the very same', () => {
    const one = masker(policy());
    const outcome = one.body(bytesOf(value), TYPE, about);
    expect(outcome.kind === 'released' && orderIn(outcome.body)).toEqual(masked);
    const clean = bytesOf({ id: '7' });
    expect(one.body(clean, TYPE, about)).toMatchObject({ body: clean, masked: [] });
  });

  it('that is a stream of messages is masked message by message', () => {
    const one = masker(policy());
    const frames = [value, { id: '8' }, value]
      .map(bytesOf)
      .flatMap((bytes) => [Buffer.of(bytes.length), bytes]);
    const outcome = one.body(Buffer.concat(frames), `${TYPE}; encoding=delimited`, about);
    if (outcome.kind === 'withheld') throw new Error(outcome.reason);
    const found: unknown[] = [];
    for (let at = 0; at < outcome.body.length;) {
      const length = outcome.body[at] ?? 0;
      found.push(orderIn(outcome.body.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    }
    expect(found).toEqual([masked, { id: '8' }, masked]);
    expect(one.body(Buffer.concat(frames), TYPE, about).kind).toBe('withheld');
  });

  it('with a value that the proxy holds in an unknown field is withheld', () => {
    const unknown = Buffer.concat([
      bytesOf(value),
      Buffer.of(0xfa, 0x3f, SECRET.length),
      Buffer.from(SECRET),
    ]);
    expect(masker(policy()).body(unknown, TYPE, about).kind).toBe('withheld');
  });

  it('that is text is masked as text, and what is neither stays or is withheld', () => {
    const one = masker(policy());
    const text = one.body(Buffer.from(`it is ${SECRET}`), 'text/plain', about);
    expect(text.kind === 'released' && text.body.toString()).toBe('it is [REDACTED:known-secret]');
    const image = Buffer.from([0xff, 0xd8, 0xff, 1, 2, 3]);
    expect(one.body(image, 'image/jpeg', about)).toMatchObject({ body: image });
    expect(one.body(Buffer.concat([image, Buffer.from(SECRET)]), 'image/jpeg', about).kind).toBe('withheld');
  });
});

it('a descriptor set that cannot be used is refused with a sentence', () => {
  const bad = [{ mimeType: TYPE, descriptorSet: 'AAAA', message: 'acme.Order', fields: ['id'] }];
  expect(() => masker(policy({ protobuf: bad }))).toThrow(MaskPolicyError);
  expect(() => masker(policy({}, ['nope']))).toThrow(/tools\/p has a descriptor set that has no field nope/);
});
