import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { planCertificates, rootsOf, type Certificates } from './certificate-plan.ts';

const DAY = 86_400_000;
const SERVERS = {
  operator: ['gatehouse-operator.gatehouse-system.svc'],
  recorder: ['gatehouse-recorder.gatehouse-system.svc'],
};

function trusts({ authorities }: Certificates, leaf: string, at: number): boolean {
  const certificate = new X509Certificate(leaf);
  const isValid = (one: X509Certificate): boolean =>
    Date.parse(one.validFrom) <= at && at <= Date.parse(one.validTo);
  return (
    isValid(certificate) &&
    authorities.some(({ cert }) => {
      const root = new X509Certificate(cert);
      return certificate.verify(root.publicKey) && isValid(root);
    })
  );
}

test('over fifteen years, old roots trust new certificates and new roots trust old ones at every change', () => {
  const start = Date.UTC(2026, 0, 1);
  const first = planCertificates(undefined, SERVERS, start);
  const authorities = new Set(first.authorities);
  let kept = first;
  // Replicas look every minute; even one look in five days must do.
  for (let at = start; at < start + 15 * 365 * DAY; at += 5 * DAY) {
    const next = planCertificates(kept, SERVERS, at);
    if (next === kept) continue;
    for (const authority of next.authorities) authorities.add(authority);
    for (const server of ['operator', 'recorder']) {
      // Whoever was told before, and a server that still shows what it had before.
      expect(trusts(kept, next.leaves[server]?.cert ?? '', at)).toBe(true);
      expect(trusts(next, kept.leaves[server]?.cert ?? '', at)).toBe(true);
    }
    expect(next.authorities.length).toBeLessThanOrEqual(2);
    expect(next.probeKey).toBe(first.probeKey);
    kept = next;
  }
  expect(authorities.size).toBe(3);
});

test('nothing is made anew without a reason', () => {
  const now = Date.UTC(2026, 0, 1);
  const kept = planCertificates(undefined, SERVERS, now);
  expect(planCertificates(kept, SERVERS, now + DAY)).toBe(kept);
  expect(rootsOf(kept).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  const renamed = planCertificates(kept, { ...SERVERS, operator: ['other.svc'] }, now + DAY);
  expect(renamed.authorities).toEqual(kept.authorities);
  expect(renamed.leaves['recorder']).toBe(kept.leaves['recorder']);
  expect(new X509Certificate(renamed.leaves['operator']?.cert ?? '').checkHost('other.svc')).toBe(
    'other.svc',
  );
});
