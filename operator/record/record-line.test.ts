import { expect, test } from 'vitest';
import { FIRST_PREV, lineHash } from '../../crds/control.ts';
import { encodeEntry, entryHash, parseEntry } from './entry.ts';
import { LineInvalid } from './errors.ts';
import { bytesHash, parseRecordLine } from './record-line.ts';

const event = {
  time: '2026-01-01T00:00:00.000Z',
  gateway: 'tools/orders',
  type: 'session.end',
  reason: 'idle',
};
const line = (changes: object = {}) =>
  JSON.stringify({ stream: 's1', seq: 0, prev: FIRST_PREV, event, ...changes });
const read = (text: string) => parseRecordLine(Buffer.from(text));

test('reads what JSON.stringify writes, and keeps what a newer proxy adds', () => {
  expect(read(line()).event).toEqual(event);
  expect(read(line({ event: { ...event, added: 'later' } })).event).toMatchObject({ added: 'later' });
});

test.each([
  ['a space', line().replace(':', ': ')],
  ['a key twice', line().replace('"seq":0', '"seq":0,"seq":0')],
  ['a number in another spelling', line().replace('"seq":0', '"seq":0.0')],
  ['no JSON', '{'],
  ['an empty line', ''],
  ['a member that is none', line({ extra: 1 })],
  ['a gap before zero', line({ seq: -1 })],
  ['a hash that is none', line({ prev: 'x' })],
  ['a stream with a path', line({ stream: '../../etc' })],
  ['an event of no type', line({ event: { ...event, type: 'other' } })],
  ['an event that is text', line({ event: 'text' })],
  ['a time without milliseconds', line({ event: { ...event, time: '2026-01-01T00:00:00Z' } })],
])('refuses %s', (_, text) => {
  expect(() => read(text)).toThrow(LineInvalid);
});

test('refuses bytes that are not UTF-8', () => {
  const bytes = Buffer.from(line());
  bytes[bytes.indexOf('idle')] = 0xff;
  expect(() => parseRecordLine(bytes)).toThrow(/UTF-8/);
});

test('the hash of bytes is the hash of the line', () => {
  const text = line({ event: { ...event, reason: 'längst vorbei ✓' } });
  expect(bytesHash(Buffer.from(text))).toBe(lineHash(text));
});

test('an entry gives back the line and the writer, and its hash binds both', () => {
  const record = Buffer.from(line());
  const entry = parseEntry(encodeEntry('tools/orders-0', record));
  expect(entry).toEqual({ hash: entryHash('tools/orders-0', record), from: 'tools/orders-0', record });
  expect(entryHash('tools/orders-1', record)).not.toBe(entry?.hash);
  expect(parseEntry(record)).toBeUndefined();
});
