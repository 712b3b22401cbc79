/**
 * The formats of credentials as others know them: texts made from the rules of gitleaks, which its Go module brings, are
 * held against our detectors. What they catch and we do not is listed with the reason, and nothing else.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { allPresets } from './generated.ts';

const MINUTES = 60_000;
const SAMPLES = 40;
/** Of the texts of a rule; the rest has too little chance in it to look random, or is cut in another place. */
const LEAST_SHARE = 0.75;

/** Rules whose texts are caught less often, and why that is right. */
const NOT_CAUGHT: Readonly<Record<string, string>> = {
  'asana-client-id': 'an identifier, which is no secret',
  'discord-client-id': 'an identifier, which is no secret',
  'flutterwave-public-key': 'a public key',
  'aws-amazon-bedrock-api-key-short-lived': 'the rule is the beginning alone, without a key behind it',
  'azure-ad-client-secret': 'the rule takes any digit where Microsoft writes 7 or 8',
  'curl-auth-header': 'tokens of three characters, and names of headers in their place',
  'curl-auth-user': 'passwords of three characters',
  'dynatrace-api-token': 'Dynatrace writes capital letters',
  'facebook-access-token': 'an app id, a bar and a secret: nothing in it to look for',
  'freemius-secret-key': 'the rule takes any characters where Freemius writes letters and digits',
  'hashicorp-tf-password': 'the quote is part of the password, and what is in it too short to look random',
  jwt: 'no JSON in the header',
  'jwt-base64': 'no JSON in the header',
  'private-key': 'no base64 in the key',
  'sendgrid-api-token': 'the rule leaves out the second point',
  'sidekiq-secret': 'two words of eight digits',
  'slack-app-token': 'the rule ends after one character',
  'slack-config-access-token': 'the rule takes any character for the point',
  'slack-legacy-token': 'the rule ends after one character',
  'slack-webhook-url': 'the rule takes any character for the points of the host',
  'sourcegraph-access-token': 'forty hex digits alone are a commit',
  'square-access-token': 'Square writes sixty characters behind EAAA',
  'vault-service-token': 'the form before Vault 1.10: s. and 24 characters are code more often than not',
};

const sampleSchema = z.object({ rule: z.string(), text: z.string(), secret: z.string() });

interface Score {
  texts: number;
  caught: number;
}

const hasGo = spawnSync('go', ['version']).status === 0;

describe.skipIf(!hasGo)(`the rules of gitleaks${hasGo ? '' : ' (Go is not installed)'}`, () => {
  test('what they catch is masked', { timeout: 10 * MINUTES }, () => {
    const scores = scoreRules(samples());
    const all = [...scores.values()];
    const low = [...scores].filter(([, { texts, caught }]) => caught < LEAST_SHARE * texts);
    console.table(low.map(([rule, score]) => ({ rule, ...score, because: NOT_CAUGHT[rule] })));
    const share = sum(all, ({ caught }) => caught) / sum(all, ({ texts }) => texts);
    console.log(
      `${scores.size} rules, ${share.toFixed(3)} of ${sum(all, ({ texts }) => texts)} texts masked`,
    );
    expect(low.map(([rule]) => rule).sort()).toEqual(Object.keys(NOT_CAUGHT).sort());
    expect(scores.size).toBeGreaterThan(200);
    expect(share).toBeGreaterThan(0.9);
  });
});

function scoreRules(lines: readonly string[]): Map<string, Score> {
  const masker = allPresets();
  const scores = new Map<string, Score>();
  for (const line of lines) {
    const { rule, text, secret } = sampleSchema.parse(JSON.parse(line));
    const score = scores.get(rule) ?? { texts: 0, caught: 0 };
    scores.set(rule, score);
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { structuredContent: { text } } });
    const outcome = masker.message(message, { purpose: 'release' });
    score.texts += 1;
    const left = outcome.kind === 'withheld' ? '' : textOf(outcome.text);
    if (!left.includes(secret)) score.caught += 1;
  }
  return scores;
}

const releasedSchema = z.object({
  result: z.object({ structuredContent: z.object({ text: z.string() }) }),
});

function textOf(message: string): string {
  return releasedSchema.parse(JSON.parse(message)).result.structuredContent.text;
}

/** Built anew, since Go's own cache makes that quick. */
function samples(): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-gitleaks-'));
  try {
    const program = join(directory, 'samples');
    const cwd = resolve(import.meta.dirname, 'gitleaks');
    const flags = ['-buildvcs=false', '-mod=readonly', '-o', program];
    execFileSync('go', ['build', ...flags, '.'], { cwd, stdio: 'pipe' });
    const out = execFileSync(program, [String(SAMPLES)], { encoding: 'utf8', maxBuffer: 1e8 });
    return out.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function sum(scores: readonly Score[], of: (score: Score) => number): number {
  return scores.reduce((total, score) => total + of(score), 0);
}
