import { createHash, createHmac, pbkdf2Sync, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { issueAuthority } from '../../../../lib/certificates.ts';
import { endPointHash, startScram } from './scram.ts';

const BOTH = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];
const certificate = new X509Certificate(issueAuthority('test', { now: Date.now(), days: 1 }).cert);
const start = (more: Partial<Parameters<typeof startScram>[0]> = {}) =>
  startScram({ mechanisms: BOTH, password: 'pencil', certificate, nonce: 'mine', ...more });

const SALT = Buffer.from('a salt').toString('base64');
const first = (more: { nonce?: string; salt?: string; iterations?: string } = {}): string =>
  `r=${more.nonce ?? 'mineyours'},s=${more.salt ?? SALT},i=${more.iterations ?? '4096'}`;

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

test('proves the password to a server that knows it, bound to its certificate, and has it proved back', async () => {
  const scram = start();
  expect(scram.mechanism).toBe('SCRAM-SHA-256-PLUS');
  expect(scram.first).toBe('p=tls-server-end-point,,n=,r=mine');
  const final = await scram.final(first());
  const [withoutProof = '', proof = ''] = final.split(',p=');
  const bound = Buffer.concat([
    Buffer.from('p=tls-server-end-point,,'),
    endPointHash(certificate) ?? Buffer.alloc(0),
  ]);
  expect(withoutProof).toBe(`c=${bound.toString('base64')},r=mineyours`);
  // What the server does (RFC 5802, 3).
  const key = pbkdf2Sync('pencil', 'a salt', 4096, 32, 'sha256');
  const text = `n=,r=mine,${first()},${withoutProof}`;
  const stored = createHash('sha256').update(hmac(key, 'Client Key')).digest();
  const signature = hmac(stored, text);
  const clientKey = Buffer.from(Buffer.from(proof, 'base64').map((byte, at) => byte ^ (signature[at] ?? 0)));
  expect(createHash('sha256').update(clientKey).digest().equals(stored)).toBe(true);
  scram.verify(`v=${hmac(hmac(key, 'Server Key'), text).toString('base64')}`);
  expect(() => scram.verify(`v=${hmac(key, text).toString('base64')}`)).toThrow('could not prove');
  expect(() => scram.verify('e=other-error')).toThrow('could not prove');
});

test('says that it could have bound the channel where the server does not offer it', () => {
  expect(start({ mechanisms: ['SCRAM-SHA-256'] }).first).toBe('y,,n=,r=mine');
  expect(start({ mechanisms: ['SCRAM-SHA-256'], certificate: undefined }).first).toBe('n,,n=,r=mine');
  expect(start({ certificate: undefined }).mechanism).toBe('SCRAM-SHA-256');
  expect(() => start({ mechanisms: ['OAUTHBEARER'] })).toThrow('no way to log in');
});

test.each([
  ['a nonce that is not ours', first({ nonce: 'yours' })],
  ['a nonce that adds nothing', first({ nonce: 'mine' })],
  ['no salt', first({ salt: '' })],
  ['two million rounds', first({ iterations: '2000000' })],
  ['no rounds', first({ iterations: '0' })],
  ['rounds that are no number', first({ iterations: '4096e9' })],
  ['nothing', ''],
])('a server that sends %s is refused', async (_, serverFirst) => {
  await expect(start().final(serverFirst)).rejects.toMatchObject({ sqlstate: '28000' });
});

test('before a login is over, a server that skips the proof has proved nothing', () => {
  expect(() => start().verify('v=')).toThrow('could not prove');
});
