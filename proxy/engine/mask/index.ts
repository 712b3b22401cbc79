/** Masks what leaves: known secrets always, and what masking policies name. */
export { createKnownSecrets, type KnownSecrets, type KnownUpdate } from './known-secrets.ts';
export { compileMasker } from './masker.ts';
export { StreamMemory, type Tails } from './stream-memory.ts';
export { MaskPolicyError, type BodyOutcome, type MaskAbout, type Masker, type MaskOutcome } from './types.ts';
