import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader } from './frames.ts';
import { message } from './messages.ts';

/** Every message that comes out, long ones put together again. */
function read(
  chunks: readonly Buffer[],
  collect: number,
): { readonly frames: Buffer[]; readonly heads: number[] } {
  const reader = new FrameReader(() => collect);
  const frames: Buffer[] = [];
  const heads: number[] = [];
  let parts: Buffer[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let part = reader.advance(); part !== undefined; part = reader.advance()) {
      if (part === 'begin') heads.push(reader.end - reader.start);
      parts.push(Buffer.from(reader.frame()));
      if (part !== 'whole' && part !== 'last') continue;
      frames.push(Buffer.concat(parts));
      parts = [];
    }
  }
  return { frames, heads };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

test('messages come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(12_000), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 24 }),
      fc.constantFrom(10, 5_000, 1_000_000),
      (sizes, places, collect) => {
        const sent = sizes.map((size, at) => message('D', Buffer.alloc(size, at + 1)));
        const { frames, heads } = read(cut(Buffer.concat(sent), places), collect);
        expect(frames.length).toBe(sent.length);
        frames.forEach((frame, at) => expect(frame.equals(sent[at] ?? Buffer.alloc(0))).toBe(true));
        // The beginning of a long one holds the names of a Bind.
        heads.forEach((head) => expect(head).toBeGreaterThanOrEqual(4_096));
      },
    ),
  );
});

test('a message that says it is shorter than its header is refused', () => {
  const reader = new FrameReader(() => 100);
  reader.push(Buffer.of(0x44, 0, 0, 0, 3));
  expect(() => reader.advance()).toThrow('shorter than itself');
});
