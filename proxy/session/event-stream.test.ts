import { expect, test } from 'vitest';
import { EventStream, parseEventId, type EventSink } from './event-stream.ts';

class Client implements EventSink {
  readonly frames: string[] = [];
  ended = false;
  write(frame: string): void {
    this.frames.push(frame);
  }
  end(): void {
    this.ended = true;
  }
  get data(): (string | undefined)[] {
    return this.frames.map((frame) => /^data: (.*)$/m.exec(frame)?.[1]);
  }
  get ids(): (string | undefined)[] {
    return this.frames.map((frame) => /^id: (.*)$/m.exec(frame)?.[1]);
  }
}

test('a client that comes back gets what it missed, once and in order', () => {
  const stream = new EventStream('s-1');
  const first = new Client();
  stream.attach(first, 0);
  void stream.push({ data: 'one' });
  stream.detach(first);
  void stream.push({ data: 'two' });
  void stream.push({ data: 'three' });
  const again = new Client();
  stream.attach(again, parseEventId(first.ids[0] ?? '')?.seq ?? -1);
  void stream.push({ data: 'four' });
  expect(first.data).toEqual(['one']);
  expect(again.data).toEqual(['two', 'three', 'four']);
  expect(new Set([...first.ids, ...again.ids]).size).toBe(4);
});

test('a second response takes the stream over, and the first one closes', () => {
  const stream = new EventStream('s-1');
  const [one, two] = [new Client(), new Client()];
  stream.attach(one, 0);
  stream.attach(two, 0);
  stream.detach(one);
  void stream.push({ data: 'x' });
  expect(one).toMatchObject({ ended: true, frames: [] });
  expect(two.data).toEqual(['x']);
});

test('an ended stream is replayed and closes', () => {
  const stream = new EventStream('s-1');
  void stream.push({ data: 'answer' });
  stream.end();
  const late = new Client();
  stream.attach(late, 0);
  expect(late).toMatchObject({ ended: true });
  expect(late.data).toEqual(['answer']);
});

test('a suspended stream is resumed by whoever comes back, once', () => {
  const stream = new EventStream('s-1');
  const first = new Client();
  let resumed = 0;
  stream.attach(first, 0);
  stream.suspend(() => (resumed += 1));
  expect(first.ended).toBe(true);
  stream.attach(new Client(), 0);
  stream.attach(new Client(), 0);
  expect(resumed).toBe(1);
});

test('what is kept for clients that never come back is bounded', () => {
  const stream = new EventStream('s-1');
  for (let n = 0; n < 5_000; n += 1) void stream.push({ data: `${n}` });
  const late = new Client();
  stream.attach(late, 0);
  expect(late.frames.length).toBe(1_000);
  expect(late.data.at(-1)).toBe('4999');
});

test.for(['', 'x', 'a.b', '.1', 'a.-1', 'a.1.2', 'a.1e3', `${'a'.repeat(65)}.1`])(
  '%j is no event id of ours',
  (id) => {
    expect(parseEventId(id)).toBeUndefined();
  },
);
