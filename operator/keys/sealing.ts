/** Sealing keys of each gateway: a new one every day, the one before stays good, so that no session breaks. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { sealingKey, type SealingKey } from '../../crds/bundle.ts';
import { writeFileDurably } from '../../lib/durable-file.ts';
import { keptJson, newKey } from './key-file.ts';

export const ROTATE_AFTER_MS = 24 * 3_600_000;
const LIVE_KEYS = 2;

const datedKey = sealingKey.extend({ since: z.iso.datetime() });
export const keysByGateway = z.record(z.string(), z.array(datedKey).min(1));

type DatedKey = z.infer<typeof datedKey>;
export type KeysByGateway = Readonly<Record<string, readonly DatedKey[]>>;

export interface SealingKeys {
  /** The live keys of a gateway, the sealing one first. A gateway that is new gets its first with `refresh`. */
  of(gateway: string): readonly SealingKey[];
  /** Gives every one of `gateways` keys, rotates what is due, forgets old gateways; durable when it returns. */
  refresh(gateways: readonly string[], now: number): Promise<void>;
}

export async function openSealingKeys(path: string): Promise<SealingKeys> {
  let keys: KeysByGateway = await keptJson(path, keysByGateway, () => ({}));
  return {
    of: (gateway) => (keys[gateway] ?? []).map(({ id, key }) => ({ id, key })),
    refresh: async (gateways, now) => {
      const next = rotated(keys, gateways, now);
      if (next === keys) return;
      await writeFileDurably(path, JSON.stringify(next, undefined, 2));
      keys = next;
    },
  };
}

/** The keys as they should be at `now`; the same object when nothing is due. */
export function rotated(keys: KeysByGateway, gateways: readonly string[], now: number): KeysByGateway {
  const wanted = new Set(gateways);
  const stale = (list: readonly DatedKey[]): boolean => ageOf(list, now) >= ROTATE_AFTER_MS;
  // A gateway that was removed by mistake and comes back finds its sessions again, for as long as its keys lived.
  const kept = Object.entries(keys).filter(
    ([name, list]) => wanted.has(name) || ageOf(list, now) < 2 * ROTATE_AFTER_MS,
  );
  const due = gateways.filter((name) => keys[name] === undefined || stale(keys[name]));
  if (due.length === 0 && kept.length === Object.keys(keys).length) return keys;
  const fresh = due.map((name): [string, DatedKey[]] => [
    name,
    [freshKey(now), ...(keys[name] ?? [])].slice(0, LIVE_KEYS),
  ]);
  return Object.fromEntries([...kept, ...fresh]);
}

function ageOf([newest]: readonly DatedKey[], now: number): number {
  return newest === undefined ? Number.POSITIVE_INFINITY : now - Date.parse(newest.since);
}

function freshKey(now: number): DatedKey {
  return { id: randomBytes(6).toString('hex'), key: newKey(), since: new Date(now).toISOString() };
}
