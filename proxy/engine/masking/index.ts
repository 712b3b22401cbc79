/** Masking for whoever serves clients. */
export { createMasking, maskHere, type Masking } from './masking.ts';
export { StreamTails } from './stream-tails.ts';
export { MaskingThread } from './thread.ts';
