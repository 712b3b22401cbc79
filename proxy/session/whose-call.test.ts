/** No outbound call may ever be taken for another caller's. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callIn } from '../../test/fixtures/exchange.ts';
import { OwnerUnknown, WhoseCall, traceIdOf, type CallInFlight, type WhenShared } from './whose-call.ts';

const TRACE = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);

function call(session: string, exchange = `${session}-1`, traceId?: string): CallInFlight {
  return { exchange: callIn(session, { exchange }), approval: undefined, traceId };
}

function header(traceId: string): string {
  return `00-${traceId}-${'1'.repeat(16)}-01`;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof OwnerUnknown) return error.code;
    throw error;
  }
  return 'none';
}

test('it belongs to the only session with a call in flight', () => {
  const whose = new WhoseCall();
  const only = call('ana');
  whose.begin(only);
  expect(whose.ownerOf({}, 'Queue')).toEqual({ whose: { session: 'ana', request: 'ana-1' }, call: only });
});

test('of several calls of one session it is not said which', () => {
  const whose = new WhoseCall();
  whose.begin(call('ana', 'ana-1'));
  whose.begin(call('ana', 'ana-2'));
  expect(whose.ownerOf({}, 'Queue')).toEqual({ whose: { session: 'ana' }, call: undefined });
});

test('with two sessions in flight, or none, it is nobody’s, or the pod’s where a gateway says so', () => {
  const whose = new WhoseCall();
  for (const when of ['Queue', 'Refuse'] as const)
    expect(codeOf(() => whose.ownerOf({}, when))).toBe('owner_unknown');
  expect(whose.ownerOf({}, 'Pod')).toEqual({ whose: 'pod', call: undefined });
  whose.begin(call('ana'));
  const end = whose.begin(call('bo'));
  for (const when of ['Queue', 'Refuse'] as const)
    expect(codeOf(() => whose.ownerOf({}, when))).toBe('owner_ambiguous');
  expect(whose.ownerOf({}, 'Pod').whose).toBe('pod');
  end();
  expect(whose.ownerOf({}, 'Refuse').whose).toMatchObject({ session: 'ana' });
});

test('a trace that is passed on names the call among many', () => {
  const whose = new WhoseCall();
  whose.begin(call('ana', 'ana-1', TRACE));
  whose.begin(call('bo', 'bo-1', OTHER));
  expect(whose.ownerOf({ traceparent: header(OTHER) }, 'Refuse').whose).toEqual({
    session: 'bo',
    request: 'bo-1',
  });
});

test('a trace that two callers chose says nothing, nor does one that is none', () => {
  const whose = new WhoseCall();
  whose.begin(call('ana', 'ana-1', TRACE));
  whose.begin(call('bo', 'bo-1', TRACE));
  expect(codeOf(() => whose.ownerOf({ traceparent: header(TRACE) }, 'Queue'))).toBe('owner_ambiguous');
  for (const text of ['', 'x', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, `00-${TRACE.toUpperCase()}-1-01`])
    expect(traceIdOf(text)).toBeUndefined();
});

test('a placeholder names its session, whoever else is at work, and no longer than it is bound', () => {
  const whose = new WhoseCall();
  const unbind = whose.bind('ph-1', 'ana');
  whose.begin(call('bo', 'bo-1', TRACE));
  whose.begin(call('cy'));
  // Not even a trace of another session's leads away from it.
  const hint = { placeholder: 'ph-1', traceparent: header(TRACE) };
  expect(whose.ownerOf(hint, 'Refuse')).toEqual({ whose: { session: 'ana' }, call: undefined });
  unbind();
  expect(codeOf(() => whose.ownerOf({ placeholder: 'ph-1' }, 'Refuse'))).toBe('owner_ambiguous');
});

test('whoever listens hears when other sessions are at work, and only then', () => {
  const whose = new WhoseCall();
  let heard = 0;
  const stop = whose.onChange(() => (heard += 1));
  const first = whose.begin(call('ana', 'ana-1'));
  const second = whose.begin(call('ana', 'ana-2'));
  expect(heard).toBe(1);
  first();
  first();
  expect(heard).toBe(1);
  second();
  expect(heard).toBe(2);
  stop();
  whose.begin(call('bo'));
  expect(heard).toBe(2);
});

test('property: an owner without a placeholder is the one session in flight, or the one with that trace', () => {
  const step = fc.record({
    session: fc.constantFrom('a', 'b', 'c'),
    trace: fc.constantFrom(undefined, TRACE, OTHER),
  });
  const hint = fc.constantFrom(undefined, TRACE, OTHER);
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 6 }),
      hint,
      fc.constantFrom<WhenShared>('Queue', 'Refuse'),
      (steps, trace, when) => {
        const whose = new WhoseCall();
        steps.forEach(({ session, trace: traceId }, index) =>
          whose.begin(call(session, `x${index}`, traceId)),
        );
        const sessions = new Set(steps.map(({ session }) => session));
        const traced = steps.filter((one) => trace !== undefined && one.trace === trace);
        let owner: string | undefined;
        try {
          const found = whose.ownerOf(trace === undefined ? {} : { traceparent: header(trace) }, when).whose;
          owner = found === 'pod' ? 'pod' : found.session;
        } catch {
          owner = undefined;
        }
        const [only] = sessions;
        const expected = traced.length === 1 ? traced[0]?.session : sessions.size === 1 ? only : undefined;
        expect(owner).toBe(expected);
      },
    ),
  );
});
