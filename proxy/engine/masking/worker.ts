/** The thread that masks large messages. It knows what it is told, in the order in which it is told. */
import { parentPort } from 'node:worker_threads';
import {
  compileMasker,
  createKnownSecrets,
  StreamMemory,
  type BodyOutcome,
  type Masker,
  type MaskOutcome,
} from '../mask/index.ts';
import { faultOf } from './fault.ts';
import type { FromWorker, Job, ToWorker } from './protocol.ts';

let now = 0;
let masker: Masker | undefined;
const known = createKnownSecrets({ now: () => now });

parentPort?.on('message', (told: ToWorker) => {
  switch (told.kind) {
    case 'known':
      for (const { owner, values, at } of told.updates) {
        now = at;
        known.set(owner, values);
      }
      return;
    case 'policies':
      masker = compileMasker(told.policies.masking, { known, hashKey: told.policies.hashKey });
      return;
    case 'job':
      now = told.at;
      parentPort?.postMessage(done(told.job));
  }
});

function done(job: Job): FromWorker {
  if (job.kind === 'check') return { fault: faultOf(job.text) };
  if (masker === undefined) throw new Error('A message came before the policies that it is masked by.');
  const { tails, ...about } = job.about;
  const stream = tails === undefined ? undefined : new StreamMemory();
  stream?.take(tails ?? []);
  const outcome = run(masker, job, { ...about, stream });
  return { outcome, tails: stream?.tails };
}

function run(
  by: Masker,
  job: Exclude<Job, { kind: 'check' }>,
  about: Parameters<Masker['message']>[1],
): MaskOutcome | BodyOutcome {
  if (job.kind === 'message') return by.message(job.text, about);
  return by.body(Buffer.from(job.body), job.mimeType, about);
}
