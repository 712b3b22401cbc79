import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueAuthority } from '../../lib/certificates.ts';
import { NOBODY_ASKED } from '../approve/asking.ts';
import { readSettings } from './settings.ts';

const ROOT = issueAuthority('upstreams', { now: Date.now(), days: 1 }).cert;

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
    asking: NOBODY_ASKED,
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
    asking: NOBODY_ASKED,
  });
});

test('how approvers are asked is read, with what goes without saying', async () => {
  const text = `publicUrl: https://gatehouse.example/
approvers: { people: [{ email: a@acme.example, issuer: "https://login.example", subject: "1", username: a }] }
notify:
  slack: { tokenFile: /etc/slack }
  jira: { url: "https://acme.atlassian.net", email: g@acme.example, tokenFile: /etc/jira }
  webhook: { allow: ["*.corp.example"] }
console: { issuer: "https://login.example", clientId: gatehouse }
`;
  const { asking } = await readSettings(await written(text));
  expect(asking).toMatchObject({
    publicUrl: 'https://gatehouse.example',
    people: [{ username: 'a', groups: [] }],
    notify: {
      slack: { apiUrl: 'https://slack.com/api' },
      jira: { issueType: 'Task', approved: ['Approved'], denied: ['Denied', 'Declined', 'Rejected'] },
      webhook: { allow: ['*.corp.example'] },
    },
    console: { scopes: ['openid', 'profile', 'email'] },
  });
});

test.each([
  ['floors: { anonymous: true }', /are wrong at floors/],
  ['approvers: { usernames: [{ issuer: x }] }', /are wrong at approvers\.usernames\.0\.claim/],
  ['floors: [', /cannot be read/],
  ['console: { issuer: x, clientId: y }', /have a console and no publicUrl/],
  [
    'publicUrl: "https://gatehouse.example/path"',
    /are wrong at publicUrl: must be an address without a path/,
  ],
  ['notify: { webhook: { allow: ["https://a.example/"] } }', /are wrong at notify\.webhook\.allow\.0/],
  ['notify: { slack: { tokenFile: a, apiUrl: "http://slack.example" } }', /must be https/],
])('a mistake is a sentence: %s', async (text, sentence) => {
  await expect(readSettings(await written(text))).rejects.toThrow(sentence);
});

test('a Vault is read, with what it may leave out', async () => {
  const { vault } = await readSettings(await written('vault: { address: "https://vault.example:8200" }'));
  expect(vault).toEqual({ address: 'https://vault.example:8200', auth: { kind: 'jwt', mount: 'jwt' } });
  const all = `vault:
  address: https://vault.example
  namespace: team
  caBundle: ${JSON.stringify(ROOT)}
  auth: { method: kubernetes, mount: clusters/one }`;
  expect((await readSettings(await written(all))).vault).toEqual({
    address: 'https://vault.example',
    namespace: 'team',
    caBundle: ROOT,
    auth: { kind: 'kubernetes', mount: 'clusters/one' },
  });
});

test('roots of whom sidecars call are read, remarks and several of them', async () => {
  const text = `# inside\n${ROOT}# and again\n${ROOT}`;
  const settings = `upstreams: { caBundle: ${JSON.stringify(text)} }`;
  expect((await readSettings(await written(settings))).upstreamRoots).toBe(text);
});

test.each([
  ['upstreams: { caBundle: "" }', 'upstreams.caBundle: must hold certificates in PEM'],
  [
    'upstreams: { caBundle: "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----" }',
    'upstreams.caBundle: must hold certificates in PEM',
  ],
  ['vault: { address: "http://vault.example" }', 'must be an https URL'],
  ['vault: { address: "https://vault.example", token: x }', 'vault'],
  ['vault: { address: "https://vault.example", caBundle: file.pem }', 'must hold certificates in PEM'],
  ['vault: { address: "https://vault.example", auth: { method: token } }', 'vault.auth.method'],
])('refuses %s', async (text, sentence) => {
  await expect(readSettings(await written(text))).rejects.toThrow(sentence);
});
