/** The keys that every bundle holds, wherever they are kept. */
import { join } from 'node:path';
import { z } from 'zod';
import type { SealingKey } from '../../crds/bundle.ts';
import { keptJson, newKey } from './key-file.ts';
import { openSealingKeys } from './sealing.ts';

export interface InstallationKeys {
  /** 32 bytes, base64: HMAC key of the whole installation. Good after the first `refresh`. */
  hashKey(): string;
  /** The live keys of a gateway, the sealing one first. A gateway that is new gets its first with `refresh`. */
  of(gateway: string): readonly SealingKey[];
  /** Gives every one of `gateways` keys, rotates what is due, forgets old gateways; durable when it returns. */
  refresh(gateways: readonly string[], now: number): Promise<void>;
}

export const hashKeyFile = z.object({ hashKey: z.base64().length(44) });

/** Keeps them in a directory that one process owns. */
export async function openDirectoryKeys(directory: string): Promise<InstallationKeys> {
  const sealing = await openSealingKeys(join(directory, 'sealing.json'));
  const { hashKey } = await keptJson(join(directory, 'hash.json'), hashKeyFile, () => ({
    hashKey: newKey(),
  }));
  return { ...sealing, hashKey: () => hashKey };
}
