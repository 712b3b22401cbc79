import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPki } from './pki.ts';
import { openSealingKeys, rotated, ROTATE_AFTER_MS } from './sealing.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const DAY = 86_400_000;
const HOSTS = ['localhost', '127.0.0.1'];

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-keys-'));
});

afterEach(() => rm(directory, { recursive: true }));

test('an authority outlives restarts, and so do the leaves it signed', async () => {
  const first = await openPki(directory, NOW);
  const ca = await readFile(first.caFile, 'utf8');
  const leaf = await first.server('control', HOSTS, NOW);
  const second = await openPki(directory, NOW + DAY);
  expect(await readFile(second.caFile, 'utf8')).toBe(ca);
  expect((await second.server('control', HOSTS, NOW + DAY)).cert).toBe(leaf.cert);
  expect(new X509Certificate(leaf.cert).verify(new X509Certificate(ca).publicKey)).toBe(true);
});

test('a leaf is reissued in time, and when its files are damaged', async () => {
  const pki = await openPki(directory, NOW);
  const leaf = await pki.server('control', HOSTS, NOW);
  const later = await pki.server('control', HOSTS, NOW + 61 * DAY);
  expect(later.cert).not.toBe(leaf.cert);
  await writeFile(later.certFile, 'nonsense');
  const mended = await pki.server('control', HOSTS, NOW + 61 * DAY);
  expect(await readFile(mended.certFile, 'utf8')).toBe(mended.cert);
});

test('a damaged authority is said to be so, and never replaced', async () => {
  await openPki(directory, NOW);
  const file = join(directory, 'authority.json');
  await writeFile(file, '{"cert":');
  await expect(openPki(directory, NOW)).rejects.toMatchObject({ code: 'bad_key_file' });
  await expect(openPki(directory, NOW)).rejects.toThrow(file);
  expect(await readFile(file, 'utf8')).toBe('{"cert":');
});

test('every gateway has sealing keys of its own, and they outlive restarts', async () => {
  const path = join(directory, 'sealing.json');
  const keys = await openSealingKeys(path);
  expect(keys.of('tools/orders')).toEqual([]);
  await keys.refresh(['tools/orders', 'tools/billing'], NOW);
  const [orders] = keys.of('tools/orders');
  const [billing] = keys.of('tools/billing');
  expect(orders?.key).not.toBe(billing?.key);
  expect(Buffer.from(orders?.key ?? '', 'base64')).toHaveLength(32);
  const again = await openSealingKeys(path);
  await again.refresh(['tools/orders', 'tools/billing'], NOW + DAY - 1);
  expect(again.of('tools/orders')).toEqual([orders]);
});

test('sealing keys rotate once a day; the one before stays good for a day more', () => {
  const first = rotated({}, ['a'], NOW);
  expect(rotated(first, ['a'], NOW + ROTATE_AFTER_MS - 1)).toBe(first);
  const second = rotated(first, ['a'], NOW + ROTATE_AFTER_MS);
  const third = rotated(second, ['a'], NOW + 2 * ROTATE_AFTER_MS);
  expect(second['a']?.slice(1)).toEqual(first['a']);
  expect(third['a']).toHaveLength(2);
  expect(third['a']?.slice(1)).toEqual(second['a']?.slice(0, 1));
});

test('keys of a gateway that is gone are kept for a while and then forgotten', () => {
  const keys = rotated({}, ['a', 'b'], NOW);
  expect(rotated(keys, ['a'], NOW + 1)).toBe(keys);
  expect(Object.keys(rotated(keys, ['a'], NOW + 2 * ROTATE_AFTER_MS))).toEqual(['a']);
});
