/**
 * The installation's authorities and the certificates of its servers, over their whole life. Pure.
 *
 * A new authority is trusted for a day before it signs, and an old one for a week after it signed last, so that at no
 * moment a server shows what somebody who was told of the roots does not trust yet, or no more.
 */
import { randomBytes, X509Certificate } from 'node:crypto';
import { issueAuthority, issueServerLeaf, needsReissue, type KeyPair } from '../../lib/certificates.ts';

export interface Certificates {
  /** Oldest first; all of them are trusted. */
  readonly authorities: readonly KeyPair[];
  /** By name of the server. */
  readonly leaves: Readonly<Record<string, KeyPair>>;
  /** Keys the paths of probes; never changes. */
  readonly probeKey: string;
}

/** Host names by name of the server. */
export type Servers = Readonly<Record<string, readonly string[]>>;

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 90;
export const TRUSTED_BEFORE_MS = DAY_MS;
export const TRUSTED_AFTER_MS = 7 * DAY_MS;
const AUTHORITY_NAME = 'Gatehouse installation';

/** What is to be kept from now on; `kept` itself where nothing is to be done. */
export function planCertificates(
  kept: Certificates | undefined,
  servers: Servers,
  now: number,
): Certificates {
  const authorities = planAuthorities(kept?.authorities ?? [], now);
  const signer = signerAmong(authorities, now);
  const leaves = Object.fromEntries(
    Object.entries(servers).map(([name, hosts]) => [
      name,
      planLeaf(kept?.leaves[name], signer, { hosts, now }),
    ]),
  );
  const isSame =
    kept !== undefined &&
    sameMembers(authorities, kept.authorities) &&
    sameMembers(Object.values(leaves), Object.values(kept.leaves));
  return isSame
    ? kept
    : { authorities, leaves, probeKey: kept?.probeKey ?? randomBytes(32).toString('base64') };
}

/** What clients are to trust, PEM. */
export function rootsOf({ authorities }: Certificates): string {
  return authorities.map(({ cert }) => cert).join('');
}

function planAuthorities(kept: readonly KeyPair[], now: number): readonly KeyPair[] {
  const newest = kept.at(-1);
  if (newest === undefined || isAging(newest, now)) {
    return [...kept, issueAuthority(AUTHORITY_NAME, { now, days: AUTHORITY_DAYS })];
  }
  // The newest has signed everything for long enough: nothing shows what the others signed.
  const outlived = ageOf(newest, now) > TRUSTED_BEFORE_MS + TRUSTED_AFTER_MS;
  return outlived ? [newest] : kept;
}

function signerAmong(authorities: readonly KeyPair[], now: number): KeyPair {
  const trusted = authorities.findLast((authority) => ageOf(authority, now) >= TRUSTED_BEFORE_MS);
  const signer = trusted ?? authorities[0];
  if (signer === undefined) throw new Error('There is an authority always.');
  return signer;
}

function planLeaf(
  kept: KeyPair | undefined,
  signer: KeyPair,
  { hosts, now }: { hosts: readonly string[]; now: number },
): KeyPair {
  if (kept !== undefined && !needsReissue(kept, signer, hosts, now)) return kept;
  return issueServerLeaf(signer, hosts, { now, days: LEAF_DAYS });
}

/** Less than a third of its life is left. */
function isAging({ cert }: KeyPair, now: number): boolean {
  const { validFrom, validTo } = new X509Certificate(cert);
  const until = Date.parse(validTo);
  return until - now < (until - Date.parse(validFrom)) / 3;
}

/** Certificates are dated back a little, which makes an authority that much older than it is. */
function ageOf({ cert }: KeyPair, now: number): number {
  return now - Date.parse(new X509Certificate(cert).validFrom);
}

function sameMembers(a: readonly KeyPair[], b: readonly KeyPair[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}
