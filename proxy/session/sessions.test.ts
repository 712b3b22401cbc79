import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { callerNamed } from '../../test/fixtures/caller.ts';
import { Refusal } from '../refusal.ts';
import { createSealer } from './seal.ts';
import { Sessions, type Session } from './sessions.ts';

function setUp() {
  const log: string[] = [];
  const clock = { now: 1_000 };
  const sealer = createSealer('g', [{ id: 'k', key: randomBytes(32).toString('base64') }]);
  const make = () =>
    new Sessions({
      now: () => clock.now,
      events: {
        started: (session) => log.push(`start ${session.id}`),
        ended: (session, reason) => log.push(`end ${session.id}: ${reason}`),
      },
    });
  return { sessions: make(), restarted: make, sealer, clock, log };
}
const always = () => true;
const code = (run: () => Session) => {
  try {
    run();
  } catch (error) {
    return error instanceof Refusal ? `${error.code} ${error.status}` : String(error);
  }
  return 'found';
};

test('a session id is worth nothing to anybody else', () => {
  const { sessions, sealer } = setUp();
  const name = sessions.seal(sessions.open(callerNamed('ann'), '2025-11-25'), sealer);
  expect(code(() => sessions.find(name, callerNamed('ann'), sealer, always))).toBe('found');
  expect(code(() => sessions.find(name, callerNamed('bob'), sealer, always))).toBe('session_not_found 404');
  const elsewhere = callerNamed('ann', { issuer: 'https://other.example' });
  expect(code(() => sessions.find(name, elsewhere, sealer, always))).toBe('session_not_found 404');
  expect(code(() => sessions.find(`${name.slice(0, -2)}xx`, callerNamed('ann'), sealer, always))).toBe(
    'session_not_found 404',
  );
});

test('a session survives a restart of the proxy where the server can go on, and only there', () => {
  const { sessions, restarted, sealer } = setUp();
  const session = sessions.open(callerNamed('ann'), '2025-06-18');
  session.link.sessionId = 'upstream-7';
  const name = sessions.seal(session, sealer);
  const again = restarted().find(name, callerNamed('ann'), sealer, always);
  expect(again).toMatchObject({ id: session.id, revision: '2025-06-18', link: { sessionId: 'upstream-7' } });
  expect(code(() => restarted().find(name, callerNamed('ann'), sealer, () => false))).toBe(
    'session_not_found 404',
  );
});

test('an ended session is not found again', () => {
  const { sessions, sealer, log } = setUp();
  const session = sessions.open(callerNamed('ann'), '2025-11-25');
  const name = sessions.seal(session, sealer);
  sessions.end(session, 'done');
  sessions.end(session, 'done twice');
  expect(code(() => sessions.find(name, callerNamed('ann'), sealer, always))).toBe('session_not_found 404');
  expect(log).toEqual([`start ${session.id}`, `end ${session.id}: done`]);
});

test('calls without a session belong to one caller, client and era', () => {
  const { sessions } = setUp();
  const ann = callerNamed('ann', { clientId: 'ide' });
  const first = sessions.implicit(ann, 'modern', '2026-07-28');
  expect(sessions.implicit(ann, 'modern', '2026-07-28')).toBe(first);
  expect(sessions.implicit(callerNamed('ann'), 'modern', '2026-07-28')).not.toBe(first);
  expect(sessions.implicit(ann, 'legacy', '2025-11-25')).not.toBe(first);
});

test('what is idle ends; what works or is listened to does not', () => {
  const { sessions, clock, sealer } = setUp();
  const [idle, busy, heard] = ['a', 'b', 'c'].map((subject) =>
    sessions.open(callerNamed(subject), '2025-11-25'),
  );
  if (idle === undefined || busy === undefined || heard === undefined) throw new Error('three sessions');
  busy.active = 1;
  sessions.newStream(heard).attach({ write: () => undefined, end: () => undefined }, 0);
  let closed = false;
  idle.link.connection = { close: () => (closed = true) };
  clock.now += 10_000;
  sessions.sweep(5_000);
  expect(sessions.size).toBe(2);
  expect(closed).toBe(true);
  const name = sessions.seal(idle, sealer);
  expect(code(() => sessions.find(name, callerNamed('a'), sealer, always))).toBe('found');
});
