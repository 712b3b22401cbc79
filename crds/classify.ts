/** What a document is, before anything in it is believed. */
import { z } from 'zod';
import type { Fault } from './issues.ts';
import { unknownField } from './issues.ts';
import { API_VERSION, GROUP } from './objects.ts';

/** The kinds that people write. */
export const POLICY_KINDS = ['McpGateway', 'MaskingPolicy', 'ApprovalRule'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

export type Classified =
  | { readonly is: 'ours'; readonly kind: PolicyKind }
  | { readonly is: 'list'; readonly items: readonly unknown[] }
  /** Of another API group; the name is for a warning. */
  | { readonly is: 'foreign'; readonly name: string }
  /** Bears neither apiVersion nor kind, or is no object. */
  | { readonly is: 'unmarked' }
  | { readonly is: 'faulty'; readonly fault: Fault };

const envelope = z.object({ apiVersion: z.unknown(), kind: z.unknown(), items: z.unknown() }).partial();

export function classify(value: unknown): Classified {
  const parsed = envelope.safeParse(value);
  if (!parsed.success) return { is: 'unmarked' };
  const { apiVersion, kind, items } = parsed.data;
  if (apiVersion === undefined && kind === undefined) return { is: 'unmarked' };
  if (typeof kind !== 'string') return faulty(['kind'], `must be one of ${POLICY_KINDS.join(', ')}`);
  if (kind === 'List' && Array.isArray(items)) return { is: 'list', items };
  const known = POLICY_KINDS.find((name) => name === kind);
  if (apiVersion !== API_VERSION) return otherVersion(apiVersion, kind, known);
  if (known !== undefined) return { is: 'ours', kind: known };
  if (kind === 'ApprovalRequest') {
    return faulty(
      ['kind'],
      'must not be ApprovalRequest, which the operator alone creates; decide one with gatehouse approvals',
    );
  }
  return faulty(
    ['kind'],
    `"${kind.slice(0, 64)}" ${unknownField(kind, POLICY_KINDS).replace('a field', `a kind of ${API_VERSION}`)}`,
  );
}

function otherVersion(apiVersion: unknown, kind: string, known: PolicyKind | undefined): Classified {
  const text = typeof apiVersion === 'string' ? apiVersion : '';
  const group = text.split('/')[0];
  if (known === undefined && text !== '' && group !== GROUP) {
    return { is: 'foreign', name: `${kind.slice(0, 64)} (${text.slice(0, 128)})` };
  }
  const given = text === '' ? '' : `, not "${text.slice(0, 128)}"`;
  return faulty(['apiVersion'], `must be ${API_VERSION}${given}`);
}

function faulty(path: Fault['path'], message: string): Classified {
  return { is: 'faulty', fault: { path, message } };
}
