/** The recorder of a standalone installation, kept in step with what the manifests say of it. */
import type { Writable } from 'node:stream';
import type { Bundle } from '../../crds/bundle.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Pki } from '../keys/pki.ts';
import type { Operator } from '../main.ts';
import { startChild, type Child } from './child.ts';
import { longestRetention, recorderEnvironment, type Common, type Tokens } from './wires.ts';

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1'];
const RENEWAL_CHECK_MS = 12 * 3_600_000;

/** What belongs to the recorder and is to be ended with it is told to `onClose`. */
export interface RecorderContext {
  readonly operator: Operator;
  readonly pki: Pki;
  readonly log: Logger;
  readonly stderr: Writable;
  readonly onClose: (end: () => void | Promise<void>) => void;
}

/** Starts the recorder; when the manifests want records kept for another time it is started anew. */
export async function startRecorder(
  options: { gatehouse: readonly [string, ...string[]]; common: Common; tokens: Tokens },
  context: RecorderContext,
): Promise<Child> {
  const { board } = context.operator;
  const { pki, log, stderr, onClose } = context;
  const bundles = (): readonly Bundle[] => board.current() ?? [];
  const leaf = await pki.server('recorder', LOOPBACK_HOSTS, systemClock.now());
  let retention = longestRetention(bundles());
  const recorder = await startChild(
    {
      name: 'recorder',
      command: [...options.gatehouse, 'recorder'],
      environment: (before) =>
        recorderEnvironment(options.common, { leaf, tokens: options.tokens, retention }, before),
    },
    { clock: systemClock, log, stderr },
  );
  onClose(() => recorder.stop());
  const unsubscribe = board.subscribe(() => {
    if (longestRetention(bundles()) === retention) return;
    retention = longestRetention(bundles());
    recorder.restart();
  });
  onClose(unsubscribe);
  onClose(renewing(pki, log));
  return recorder;
}

/** Reissues the recorder's certificate in time; the recorder reads the files again by itself. */
function renewing(pki: Pki, log: Logger): () => void {
  const renew = async (): Promise<void> => {
    stop = systemClock.after(RENEWAL_CHECK_MS, () => void renew());
    try {
      await pki.server('recorder', LOOPBACK_HOSTS, systemClock.now());
    } catch (err) {
      log.error({ err }, "The recorder's certificate could not be renewed.");
    }
  };
  let stop = systemClock.after(RENEWAL_CHECK_MS, () => void renew());
  return () => stop();
}
