/** Follows the operator's bundle stream for as long as the process lives. */
import { setTimeout as delay } from 'node:timers/promises';
import { bundleFrame, type BundleSet } from '#control';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { readLines } from '../lib/lines.ts';
import { ControlRefused, type ControlClient } from './client.ts';

export interface BundleFollower {
  readonly client: ControlClient;
  readonly log: Logger;
  /** Called with the whole set whenever it changes; calls do not overlap. */
  readonly onBundles: (set: BundleSet) => Promise<void>;
  readonly signal: AbortSignal;
  /** 0 to 1; spreads reconnects. */
  readonly random: () => number;
}

/** The operator beats every 10 s; three missed beats are a dead stream, whatever TCP says. */
const SILENCE_MS = 30_000;
const MAX_FRAME_BYTES = 64 * 1024 * 1024;
const MAX_DELAY_MS = 15_000;

/** Returns when the signal is aborted. The bundles in force stay in force while the operator is away. */
export async function followBundles(follower: BundleFollower): Promise<void> {
  const { log, signal } = follower;
  const ended = (): boolean => signal.aborted;
  for (let attempt = 0; !ended(); attempt += 1) {
    try {
      await follow(follower, () => (attempt = 0));
    } catch (error) {
      if (ended()) return;
      log.warn({ reason: sentenceOf(error) }, 'the bundle stream ended; what is in force stays in force');
    }
    const backoff = Math.min(MAX_DELAY_MS, 250 * 2 ** Math.min(attempt, 10)) * (0.5 + follower.random() / 2);
    await delay(backoff, undefined, { signal }).catch(() => undefined);
  }
}

async function follow(follower: BundleFollower, onFrame: () => void): Promise<void> {
  const silence = new AbortController();
  const watchdog = setTimeout(() => silence.abort(), SILENCE_MS);
  const signal = AbortSignal.any([follower.signal, silence.signal]);
  let applying = Promise.resolve();
  try {
    const response = await follower.client.open({ method: 'GET', path: '/v1/bundles', signal });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new ControlRefused(response.statusCode, {
        code: 'bundles',
        message: `The operator answered with HTTP status ${response.statusCode}.`,
      });
    }
    await readLines(response.body, MAX_FRAME_BYTES, (line) => {
      watchdog.refresh();
      onFrame();
      const frame = bundleFrame.parse(JSON.parse(line));
      if (frame.type === 'bundles') applying = applying.then(() => follower.onBundles(frame));
    });
  } finally {
    clearTimeout(watchdog);
    await applying;
  }
}
