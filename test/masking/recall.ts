/** How many known secrets a masker lets by, encoding by encoding. */
import { randomBytes } from 'node:crypto';
import { compileMasker, createKnownSecrets } from '../../proxy/engine/mask/index.ts';
import { ENCODINGS } from './encodings.ts';

export interface Recall {
  readonly encoding: string;
  readonly planted: number;
  readonly caught: number;
}

/** Values as vaults give them: drawn anew, of several alphabets and lengths. */
const DRAWS: readonly (() => string)[] = [
  () => randomBytes(16).toString('hex'),
  () => randomBytes(24).toString('base64url'),
  () => `v-token-${randomBytes(9).toString('base64')}!`,
  () => `${randomBytes(6).toString('hex')}&<"\\ ${randomBytes(4).toString('hex')}`,
  () => `${randomBytes(6).toString('hex')}'${randomBytes(6).toString('hex')}`,
  () => `pä${randomBytes(8).toString('hex')}ß`,
];
const CARRIERS: readonly ((encoded: string) => object)[] = [
  (text) => ({ content: [{ type: 'text', text }] }),
  (text) => ({ structuredContent: { rows: [{ note: `see ${text} there` }] } }),
  (text) => ({ content: [{ type: 'text', text: JSON.stringify({ note: text }) }] }),
  (text) => ({ contents: [{ uri: 'a:b', blob: Buffer.from(`x: ${text}\n`).toString('base64') }] }),
];

export function recallOfKnownSecrets(secretsEach: number): Recall[] {
  return Object.entries(ENCODINGS).map(([encoding, encode]) => {
    let planted = 0;
    let caught = 0;
    for (let round = 0; round < secretsEach; round += 1) {
      const secret = DRAWS[round % DRAWS.length]?.() ?? '';
      const known = createKnownSecrets({ now: () => 0 });
      known.set('recall', [secret]);
      const masker = compileMasker([], { known, hashKey: new Uint8Array(32) });
      for (const carry of CARRIERS) {
        const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result: carry(encode(secret)) });
        const outcome = masker.message(text, { purpose: 'release' });
        planted += 1;
        if (outcome.kind === 'withheld' || outcome.masked.length > 0) caught += 1;
      }
    }
    return { encoding, planted, caught };
  });
}
