/** What the app is given to trust the pod's CA by. Written before the app starts. */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TRUST_FILES } from '../../../../crds/egress-environment.ts';
import { writeFileDurably } from '../../../../lib/durable-file.ts';
import { javaTrustStore } from './java-store.ts';

/** Clients that can only replace what they trust get the roots with it. */
export async function writeTrustFiles(
  directory: string,
  ca: string,
  roots: readonly string[],
  now: number,
): Promise<void> {
  const made = await mkdir(directory, { recursive: true });
  // A volume that was mounted there is somebody else's to change, and readable already.
  if (made !== undefined) await chmod(directory, READABLE_DIRECTORY);
  const all = [ca, ...roots].map((pem) => `${pem.trim()}\n`);
  await writeFileDurably(join(directory, TRUST_FILES.ca), ca, READABLE);
  await writeFileDurably(join(directory, TRUST_FILES.caAndRoots), all.join(''), READABLE);
  await writeFileDurably(join(directory, TRUST_FILES.javaStore), javaTrustStore(all, now), READABLE);
}

/** The app runs as another user. */
const READABLE = 0o644;
const READABLE_DIRECTORY = 0o755;
