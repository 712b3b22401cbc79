import { describe, expect, it } from 'vitest';
import { callDigest } from './digest.ts';

const call = {
  principal: { issuer: 'https://login.example', subject: 'ann' },
  server: 'tools/orders',
  tool: 'query',
  argumentsText: '{"sql":"DELETE FROM a","limit":9007199254740993}',
  ruleRevision: '7',
};

describe('callDigest', () => {
  it('is one for arguments that say the same', () => {
    const spaced = '{ "limit": 9007199254740993,\n"s\\u0071l": "DELETE FROM a" }';
    expect(callDigest({ ...call, argumentsText: spaced })).toBe(callDigest(call));
    expect(callDigest(call)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['issuer', { principal: { issuer: 'https://other.example', subject: 'ann' } }],
    ['subject', { principal: { issuer: 'https://login.example', subject: 'bob' } }],
    ['parts moved', { principal: { issuer: 'https://login.exampleann', subject: '' } }],
    ['server', { server: 'tools/other' }],
    ['tool', { tool: 'query2' }],
    ['a large number', { argumentsText: '{"sql":"DELETE FROM a","limit":9007199254740992}' }],
    ['rule', { ruleRevision: '8' }],
  ])('differs by %s', (_name, change) => {
    expect(callDigest({ ...call, ...change })).not.toBe(callDigest(call));
  });
});
