import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSettings } from './settings.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-settings-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function written(text: string): Promise<string> {
  const path = join(directory, 'settings.yaml');
  await writeFile(path, text);
  return path;
}

test('an installation that says nothing forbids nothing and maps nobody', async () => {
  const nothing = {
    floors: { allowAnonymous: true, allowUnrecorded: true, most: {} },
    usernames: [],
    injection: undefined,
  };
  expect(await readSettings(undefined)).toEqual(nothing);
  expect(await readSettings(await written(''))).toEqual(nothing);
});

test('floors and usernames are read', async () => {
  const text = `floors: { anonymousForbidden: true, most: { callsPerMinute: 60 } }
approvers: { usernames: [{ issuer: "https://login.example", claim: email }] }
injection: { image: gatehouse }
`;
  expect(await readSettings(await written(text))).toEqual({
    floors: { allowAnonymous: false, allowUnrecorded: true, most: { callsPerMinute: 60 } },
    usernames: [{ issuer: 'https://login.example', claim: 'email', prefix: '' }],
    injection: { image: 'gatehouse' },
  });
});

test.each([
  ['floors: { anonymous: true }', /are wrong at floors/],
  ['approvers: { usernames: [{ issuer: x }] }', /are wrong at approvers\.usernames\.0\.claim/],
  ['floors: [', /cannot be read/],
])('a mistake is a sentence: %s', async (text, sentence) => {
  await expect(readSettings(await written(text))).rejects.toThrow(sentence);
});
