import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Readable } from 'node:stream';
import { collect } from './collect.ts';
import { removeMember, replaceValue } from './edit.ts';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { readLines } from './lines.ts';
import { RateLimit } from './rate-limit.ts';
import { formatEvent, readEvents } from './sse.ts';

async function* bytes(text: string | Uint8Array, size: number) {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += size) yield await Promise.resolve(all.subarray(at, at + size));
}

test('an event comes out as it went in, however the bytes are cut', async () => {
  const event = fc.record({
    id: fc.option(fc.stringMatching(/^[\w.-]{1,20}$/), { nil: undefined }),
    data: fc.string().map((text) => text.replaceAll(/[\r\n]/g, '')),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1 }),
      fc.integer({ min: 1, max: 50 }),
      async (events, size) => {
        const read = await Array.fromAsync(
          readEvents(bytes(events.map((one) => formatEvent(one)).join(''), size), 10_000),
        );
        expect(read.map(({ id, data }) => ({ id, data }))).toEqual(events);
      },
    ),
  );
});

test('JSON over several lines is one event, and means the same', async () => {
  const text = JSON.stringify({ a: [1, { b: 'two' }] }, null, 2);
  const [event] = await Array.fromAsync(readEvents(bytes(formatEvent({ data: text }), 7), 10_000));
  expect(JSON.parse(event?.data ?? '')).toEqual(JSON.parse(text));
});

test('a priming event and a retry come through; comments do not', async () => {
  const events = await Array.fromAsync(readEvents(bytes(': hello\n\nid: 1\nretry: 500\ndata:\n\n', 3), 100));
  expect(events).toEqual([{ event: undefined, id: '1', data: '', retry: 500 }]);
});

test('an event without end, and bytes that are no UTF-8, end the stream with a sentence', async () => {
  await expect(Array.fromAsync(readEvents(bytes(`data: ${'x'.repeat(5000)}`, 100), 1000))).rejects.toThrow(
    'more than 1000 characters',
  );
  await expect(
    Array.fromAsync(readEvents(bytes(new Uint8Array([100, 97, 116, 97, 58, 255, 10, 10]), 9), 1000)),
  ).rejects.toThrow('not UTF-8');
});

test('lines are cut where they end, and nowhere else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc
          .string({ minLength: 1, unit: 'binary' })
          .map((text) => text.replaceAll(/[\r\n\ud800-\udfff]/g, '') || 'x'),
      ),
      fc.integer({ min: 1, max: 9 }),
      async (lines, size) => {
        const read: string[] = [];
        await readLines(bytes(lines.join('\n'), size) as AsyncIterable<Buffer>, 10_000, (line) =>
          read.push(line),
        );
        expect(read).toEqual(lines);
      },
    ),
  );
});

const objects = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
test('a member goes, with its comma, and everything else stays', () => {
  fc.assert(
    fc.property(objects, fc.nat(), fc.constantFrom(undefined, 1, 2), (object, pick, indent) => {
      fc.pre(!Object.hasOwn(object, '__proto__'));
      const keys = Object.keys(object);
      const key = keys[pick % keys.length] ?? '';
      const text = JSON.stringify({ params: object, after: 1 }, null, indent);
      const rest = Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
      expect(JSON.parse(removeMember(text, ['params'], key))).toEqual(
        JSON.parse(JSON.stringify({ params: rest, after: 1 })),
      );
    }),
  );
});

test('an edit of what is not there changes nothing', () => {
  expect(removeMember('{"a":1}', ['params'], 'x')).toBe('{"a":1}');
  expect(removeMember('{"params":{"a":1}}', ['params'], 'x')).toBe('{"params":{"a":1}}');
  expect(replaceValue('{"a":1}', ['b'], 2)).toBe('{"a":1}');
  expect(replaceValue('{"a": {"b" : 1.0 }}', ['a', 'b'], 'x')).toBe('{"a": {"b" : "x" }}');
});

test('every string travels in a header and comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(text.isWellFormed());
      const value = encodeHeaderValue(text);
      expect(value).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeHeaderValue(value)).toBe(text);
    }),
  );
});

test('the client keeps its token, its cookies and its session to itself', () => {
  const kept = {
    authorization: 'Bearer x',
    cookie: 'a=b',
    'mcp-session-id': 's',
    host: 'h',
    'x-forwarded-for': '1.2.3.4',
    'x-api-key': 'k',
    'content-length': '3',
    connection: 'close',
    'proxy-authorization': 'p',
  };
  const passed = {
    'mcp-method': 'tools/call',
    'mcp-param-region': 'eu',
    traceparent: '00-1',
    'user-agent': 'c/1',
  };
  expect(forwardedHeaders({ ...kept, ...passed })).toEqual(passed);
});

test('a caller has as many calls a minute as it says, and others are not slowed by it', () => {
  const clock = { now: 0 };
  const limit = new RateLimit(() => clock.now);
  const taken = Array.from({ length: 5 }, () => limit.take('ann', 3));
  expect(taken).toEqual([0, 0, 0, 20, 20]);
  expect(limit.take('bob', 3)).toBe(0);
  clock.now += 20_000;
  expect([limit.take('ann', 3), limit.take('ann', 3)]).toEqual([0, 20]);
});

test('a stream is collected whole, or not at all', async () => {
  const pieces = [Buffer.from('abc'), Buffer.from('de')];
  expect((await collect(Readable.from(pieces), 5)).toString()).toBe('abcde');
  expect(await collect(Readable.from([]), 5)).toHaveLength(0);
  await expect(collect(Readable.from(pieces), 4)).rejects.toMatchObject({ code: 'too_much' });
  const cut = new Readable({ read: () => undefined });
  cut.push('abc');
  setImmediate(() => cut.destroy());
  await expect(collect(cut, 5)).rejects.toThrow('closed before it ended');
});
