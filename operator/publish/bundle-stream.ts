/**
 * The endless answer to GET /v1/bundles: the proxy's whole set at once, again when it or what
 * vouches for the installation has changed, and a heartbeat.
 */
import type { Writable } from 'node:stream';
import { gatewayName } from '../../crds/bundle.ts';
import type { BundleFrame } from '../../crds/control.ts';
import type { Clock } from '../../lib/clock.ts';
import { fingerprintOf, type BundleBoard } from './bundle-board.ts';
import { serves, type PodIdentity } from './identity.ts';

export const HEARTBEAT_MS = 10_000;

/** Writes frames to `out` until `stop` is called. A slow reader misses intermediate sets, never the last. */
export function streamBundles(
  out: Writable,
  context: { board: BundleBoard; identity: PodIdentity; clock: Clock; roots: () => string | undefined },
): { stop(): void } {
  const { board, identity, clock } = context;
  let blocked = false;
  let owed = false;
  /** Of the set that was sent last; a change in another gateway is no news to this proxy. */
  let sent: string | undefined;
  let stopBeat: () => void = () => undefined;

  const write = (frame: BundleFrame): void => {
    blocked = !out.write(`${JSON.stringify(frame)}\n`);
  };
  const sendSet = (): void => {
    const bundles = board.current()?.filter((bundle) => serves(identity, gatewayName(bundle.gateway)));
    if (bundles === undefined || identity.isPending?.() === true) return;
    const roots = context.roots();
    const set = `${fingerprintOf(bundles)}\n${roots ?? ''}`;
    if (set === sent) return;
    owed = blocked;
    if (blocked) return;
    sent = set;
    write({ type: 'bundles', bundles, ...(roots !== undefined && { roots }) });
  };
  const onDrain = (): void => {
    blocked = false;
    if (owed) sendSet();
  };
  const beat = (): void => {
    if (!blocked) write({ type: 'heartbeat' });
    stopBeat = clock.after(HEARTBEAT_MS, beat);
  };

  out.on('drain', onDrain);
  const unsubscribe = board.subscribe(sendSet);
  sendSet();
  stopBeat = clock.after(HEARTBEAT_MS, beat);
  return {
    stop: () => {
      unsubscribe();
      stopBeat();
      out.off('drain', onDrain);
    },
  };
}
