import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FIRST_PREV } from '../../crds/control.ts';
import { judgeBatch, type ChainedLine, type StreamHead } from './chain.ts';
import { bytesHash } from './record-line.ts';

/** A chain of `count` lines; `salt` makes another chain. */
function chain(count: number, salt = ''): ChainedLine[] {
  const lines: ChainedLine[] = [];
  let prev = FIRST_PREV;
  for (let seq = 0; seq < count; seq += 1) {
    const bytes = Buffer.from(`${salt}${seq}${prev}`);
    lines.push({ seq, prev, hash: bytesHash(bytes), bytes });
    prev = bytesHash(bytes);
  }
  return lines;
}

function headAfter(lines: readonly ChainedLine[]): StreamHead | undefined {
  const last = lines.at(-1);
  return last && { from: 'proxy', next: last.seq + 1, head: last.hash };
}

const judge = (lines: readonly ChainedLine[], stored: readonly ChainedLine[], from = 'proxy') =>
  judgeBatch({ stream: 's', from, lines }, headAfter(stored));

test('whatever is sent again, a stream is stored once and in order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.nat(20),
      fc.nat(20),
      fc.nat(20),
      (total, stored, from, to) => {
        const lines = chain(total);
        const before = lines.slice(0, Math.min(stored, total));
        const batch = lines.slice(Math.min(from, total - 1), Math.max(to, Math.min(from, total - 1) + 1));
        const verdict = judge(batch, before);
        if (verdict.kind === 'accept') {
          expect([...before, ...verdict.fresh]).toEqual(lines.slice(0, verdict.head.next));
          expect(verdict.head).toEqual(headAfter(lines.slice(0, verdict.head.next)));
        } else {
          expect(verdict).toMatchObject({ kind: 'out_of_sequence', expected: before.length });
        }
      },
    ),
  );
});

test('the batch that was answered and not heard is accepted again, with nothing to store', () => {
  const lines = chain(6);
  expect(judge(lines.slice(2), lines)).toMatchObject({ kind: 'accept', fresh: [], head: { next: 6 } });
});

test('a fork is a broken chain, wherever it parts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 }), (stored, more) => {
      const verdict = judge(chain(stored + more, 'fork').slice(0, stored + more), chain(stored));
      expect(verdict).toMatchObject({ kind: 'chain_broken', expected: stored });
      expect(judge(chain(stored + more, 'fork').slice(stored), chain(stored))).toMatchObject({
        kind: 'chain_broken',
      });
    }),
  );
});

test('lines that do not follow one another are a broken chain', () => {
  const lines = chain(4);
  const [zero, one, two] = lines;
  if (zero === undefined || one === undefined || two === undefined) throw new Error('the chain is too short');
  expect(judge([zero, two], [])).toMatchObject({ kind: 'chain_broken' });
  expect(judge([zero, { ...one, prev: two.hash }], [])).toMatchObject({ kind: 'chain_broken' });
  expect(judge([{ ...zero, prev: two.hash }], [])).toMatchObject({ kind: 'chain_broken' });
});

test('a stream goes on only for the writer that began it', () => {
  const lines = chain(3);
  expect(judge(lines.slice(1), lines.slice(0, 1), 'another')).toMatchObject({ kind: 'chain_broken' });
  expect(judge(lines.slice(1), lines.slice(0, 1))).toMatchObject({ kind: 'accept' });
});
