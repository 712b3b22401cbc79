/** A real thread, on real messages. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { MaskPolicy } from '../../../crds/bundle.ts';
import { systemClock } from '../../../lib/clock.ts';
import { compileMasker, createKnownSecrets, StreamMemory, type KnownSecrets } from '../mask/index.ts';
import { createMasking, MaskingThread, type Masking } from './index.ts';
import { LARGE } from './masking.ts';
import { maskPolicy } from '../../../test/fixtures/mask-policy.ts';

const cards = maskPolicy({
  name: 'tools/cards',
  detectors: [{ preset: 'PaymentCards' }],
});
const CARD = '4111 1111 1111 1111';
const FILLER = 'two boxes, one of them fragile. '.repeat(Math.ceil(LARGE / 32));
const fake = (): string => `zq-${randomBytes(16).toString('hex')}`;
const saying = (text: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }] } });
const RELEASE = { purpose: 'release' } as const;

type ThreadOptions = ConstructorParameters<typeof MaskingThread>[2];
const threads: MaskingThread[] = [];
afterEach(() => Promise.all(threads.splice(0).map((thread) => thread.close())));

function masking(options?: ThreadOptions, policies: readonly MaskPolicy[] = [cards]) {
  const known: KnownSecrets = createKnownSecrets({
    now: Date.now,
    onSet: (owner, values) => thread.know(owner, values),
  });
  const thread = new MaskingThread(systemClock, () => known.updates, options);
  threads.push(thread);
  const hashKey = Buffer.alloc(32);
  const under = (masking: readonly MaskPolicy[]): Masking =>
    createMasking({
      masker: compileMasker(masking, { known, hashKey }),
      thread,
      policies: { masking, hashKey },
    });
  return { thread, known, masker: under(policies), under };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-thread-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A thread that does as the script says. */
function scripted(script: string): URL {
  const file = join(temporaryDirectory(), 'worker.mjs');
  writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${script}`);
  return pathToFileURL(file);
}

describe('a large message', () => {
  test('is masked as a small one is', async () => {
    const { known, masker, thread } = masking();
    const secret = fake();
    known.set('a', [secret]);
    expect(thread.isStarted).toBe(false);
    for (const filler of ['', FILLER]) {
      const text = saying(`${CARD} ${filler} ${secret}`);
      expect(await masker.message(text, RELEASE)).toMatchObject({
        kind: 'released',
        text: saying(`[REDACTED:payment-card] ${filler} [REDACTED:known-secret]`),
        masked: [{ detector: 'payment-card' }, { detector: 'known-secret' }],
      });
    }
    expect(thread.isStarted).toBe(true);
  });

  test('is said to be no JSON as a small one is', async () => {
    const { masker, thread } = masking();
    const faulty = (filler: string): [string, RegExp | undefined][] => [
      [saying(filler), undefined],
      [`${saying(filler)}x`, /text after the end/],
      [`{"a":"${filler}","b":1,"\\u0061":2}`, /same key twice/],
      [`{"a":"${filler}","b":${'['.repeat(300)}${']'.repeat(300)}}`, /deeper than 256/],
    ];
    for (const [text, fault] of [...faulty('small'), ...faulty(FILLER)]) {
      const said = await masker.check(text);
      if (fault === undefined) expect(said).toBeUndefined();
      else expect(said).toMatch(fault);
    }
    expect(thread.isStarted).toBe(true);
  });

  test('is masked with every value that was known when it was given, and under the policies of then', async () => {
    const { known, masker, under } = masking();
    const values = Array.from({ length: 20 }, fake);
    const given = values.map((value, at) => {
      known.set(`owner ${at}`, [value]);
      const text = saying(`${values.slice(0, at + 1).join(' ')} ${CARD} ${FILLER}`);
      return (at % 2 === 0 ? masker : under([])).message(text, RELEASE);
    });
    for (const [at, outcome] of (await Promise.all(given)).entries()) {
      if (outcome.kind !== 'released') throw new Error(outcome.reason);
      for (const value of values.slice(0, at + 1)) expect(outcome.text).not.toContain(value);
      expect(outcome.text.includes(CARD)).toBe(at % 2 === 1);
    }
  });

  test('is masked with a value that was given up a while ago, by a thread that starts later', async () => {
    const { known, masker } = masking();
    const secret = fake();
    known.set('a', [secret]);
    known.set('a', []);
    const outcome = await masker.message(saying(`${secret} ${FILLER}`), RELEASE);
    expect(outcome).toMatchObject({ kind: 'released', masked: [{ detector: 'known-secret' }] });
  });

  test('of a stream goes on where a small one ended, and the other way round', async () => {
    const { known, masker } = masking();
    const secret = fake();
    known.set('a', [secret]);
    const half = secret.length >> 1;
    for (const [first, second] of [
      [FILLER, ''],
      ['', FILLER],
    ] as const) {
      const stream = new StreamMemory();
      const about = { ...RELEASE, stream };
      const log = (data: string): string =>
        JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } });
      await masker.message(log(first + secret.slice(0, half)), about);
      const outcome = await masker.message(log(secret.slice(half) + second), about);
      expect(outcome).toMatchObject({ kind: 'released', masked: [{ detector: 'known-secret' }] });
    }
  });

  test('beside MCP is masked too, and what is neither large nor text is as it was', async () => {
    const { masker } = masking();
    for (const body of [`${CARD} ${FILLER}`, CARD]) {
      const outcome = await masker.body(Buffer.from(body), 'text/plain', RELEASE);
      if (outcome.kind !== 'released') throw new Error(outcome.reason);
      expect(Buffer.isBuffer(outcome.body)).toBe(true);
      expect(outcome.body.toString()).not.toContain(CARD);
    }
  });
});

describe('a thread', () => {
  test('that fails withholds what it had in hand, and the next message gets another thread', async () => {
    const died = join(temporaryDirectory(), 'died');
    const entry = scripted(`
      import { existsSync, writeFileSync } from 'node:fs';
      parentPort.on('message', ({ kind, job }) => {
        if (kind !== 'job') return;
        if (!existsSync(${JSON.stringify(died)})) { writeFileSync(${JSON.stringify(died)}, ''); throw new Error(job.text); }
        parentPort.postMessage({ outcome: { kind: 'released', text: 'by the second', masked: [], audited: [] } });
      });`);
    const { masker } = masking({ entry });
    const [first, second] = await Promise.all([
      masker.message(saying(FILLER), RELEASE),
      masker.message(saying(FILLER), RELEASE),
    ]);
    expect(first).toEqual({
      kind: 'withheld',
      reason:
        'Looking through the message for secrets took more memory than one message may take, or failed.',
      masked: [],
    });
    expect(second).toMatchObject({ kind: 'released', text: 'by the second' });
  });

  test('that takes more memory than it may withholds the message', async () => {
    const entry = scripted(`
      parentPort.on('message', ({ kind }) => {
        if (kind !== 'job') return;
        const hoard = [];
        for (;;) hoard.push({ at: hoard.length, text: 'x'.repeat(hoard.length % 64) });
      });`);
    const { masker } = masking({ entry, limits: { memoryMb: 16 } });
    expect(await masker.message(saying(FILLER), RELEASE)).toMatchObject({ kind: 'withheld' });
  });

  test('that does not come to an end is ended', async () => {
    const entry = scripted(`parentPort.on('message', ({ kind }) => { while (kind === 'job'); });`);
    const { masker, thread } = masking({ entry, limits: { jobMs: 200 } });
    expect(await masker.message(saying(FILLER), RELEASE)).toMatchObject({
      kind: 'withheld',
      reason: 'Looking through the message for secrets took longer than one message may take.',
    });
    expect(thread.isStarted).toBe(false);
  });

  test('for which too much waits takes no more', async () => {
    const { masker } = masking({ limits: { waiting: 1 } });
    const given = Array.from({ length: 4 }, () => masker.message(saying(FILLER), RELEASE));
    const kinds = (await Promise.all(given)).map((outcome) =>
      outcome.kind === 'withheld' ? outcome.reason : outcome.kind,
    );
    const full =
      'Too many large messages wait to be looked through for secrets; ask for less at a time, or try again later.';
    expect(kinds).toEqual(['released', 'released', full, full]);
  });

  test('without work ends, and starts again with all that it has to know', async () => {
    const { known, masker, thread } = masking({ limits: { idleMs: 20 } });
    const secret = fake();
    known.set('a', [secret]);
    const once = () => masker.message(saying(`${secret} ${FILLER}`), RELEASE);
    expect(await once()).toMatchObject({ masked: [{ detector: 'known-secret' }] });
    await expect.poll(() => thread.isStarted).toBe(false);
    expect(await once()).toMatchObject({ masked: [{ detector: 'known-secret' }] });
  });

  test('that is closed withholds what waits', async () => {
    const { masker, thread } = masking();
    const given = [masker.message(saying(FILLER), RELEASE), masker.message(saying(FILLER), RELEASE)];
    await thread.close();
    for (const outcome of [...(await Promise.all(given)), await masker.message(saying(FILLER), RELEASE)])
      expect(outcome).toMatchObject({ kind: 'withheld', reason: 'The gateway is shutting down.' });
  });
});
