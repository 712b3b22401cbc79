import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  openCheckpoint,
  openSegmentEnd,
  openStart,
  signCheckpoint,
  signSegmentEnd,
  signStart,
} from './checkpoint.ts';
import { NoteInvalid } from './errors.ts';
import { CompactRange, leafHash } from './merkle.ts';
import { openNote, parseVkey, signerOf, signNote } from './note.ts';

function newSigner() {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return signerOf(pem, 'gatehouse.test/log');
}

function treeOf(size: number): CompactRange {
  const tree = new CompactRange();
  for (let i = 0; i < size; i += 1) tree.append(leafHash(Buffer.from(String(i))));
  return tree;
}

test('opens a note that another implementation of C2SP signed-note made', () => {
  const verifier = parseVkey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  const note =
    'This is an example message.\n\n' +
    '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
  expect(openNote(note, verifier)).toBe('This is an example message.\n');
});

test('a verifier key says what it was made from, and nothing else reads as one', () => {
  const { verifier } = newSigner();
  expect(parseVkey(verifier.vkey)).toMatchObject({ name: verifier.name, vkey: verifier.vkey });
  for (const bad of [
    '',
    'name',
    `${verifier.vkey} `,
    verifier.vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
  ]) {
    expect(() => parseVkey(bad)).toThrow(NoteInvalid);
  }
});

test('only Ed25519 keys sign', () => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  expect(() => signerOf(pem.toString(), 'x')).toThrow(NoteInvalid);
});

test('no byte of a note can change without its signature failing', () => {
  const signer = newSigner();
  const bytes = Buffer.from(signNote('a line\nanother\n', signer));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ change;
      expect(() => openNote(changed.toString('utf8'), signer.verifier)).toThrow(NoteInvalid);
    }),
    { numRuns: 1000 },
  );
});

test('a checkpoint comes back as it was signed, by that key alone', () => {
  const signer = newSigner();
  const note = signCheckpoint(treeOf(5), signer);
  expect(openCheckpoint(note, signer.verifier)).toEqual({ size: 5, root: treeOf(5).root(), extensions: [] });
  expect(() => openCheckpoint(note, newSigner().verifier)).toThrow(/not signed by the key/);
  expect(() => openCheckpoint(signNote('something else\n', signer), signer.verifier)).toThrow(
    /no checkpoint of the log/,
  );
});

test('the end of a segment says when it was closed; a plain checkpoint does not pass for one', () => {
  const signer = newSigner();
  const closedAt = Date.parse('2026-01-02T03:04:05.678Z');
  const note = signSegmentEnd(treeOf(3), closedAt, signer);
  expect(openSegmentEnd(note, signer.verifier)).toEqual({ size: 3, root: treeOf(3).root(), closedAt });
  expect(() => openSegmentEnd(signCheckpoint(treeOf(3), signer), signer.verifier)).toThrow(NoteInvalid);
});

test('a log that begins later carries the tree of what was dropped', () => {
  const signer = newSigner();
  const start = openStart(signStart({ firstSegment: 4, tree: treeOf(11) }, signer), signer.verifier);
  expect(start.firstSegment).toBe(4);
  start.tree.append(leafHash(Buffer.from('11')));
  expect(start.tree.root()).toEqual(treeOf(12).root());
  const tampered = signCheckpoint(treeOf(11), signer, [
    'first-segment 4',
    `subtree ${treeOf(1).root().toString('base64')}`,
  ]);
  expect(() => openStart(tampered, signer.verifier)).toThrow(/where the log begins/);
});
