/** Masking for whoever serves clients. */
export { createMasking, maskHere, type Masking } from './masking.ts';
export { MaskingThread } from './thread.ts';
