/** Puts a ruleset into the network namespace that this process runs in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { GatehouseError } from '../../lib/errors.ts';
import type { Family } from './ruleset.ts';

/** The rules are not in force: the pod must not start. */
export class InterceptionError extends GatehouseError {
  readonly code = 'interception_failed';
}

const TIMEOUT_MS = 30_000;

/** What the rules of this kernel can hold: without IPv6 in it there is nothing to guard there either. */
export function familyOfThisKernel(): Family {
  return existsSync('/proc/net/if_inet6') ? 'inet' : 'ip';
}

/**
 * All of the ruleset or none of it, in place of the one before. Throws InterceptionError with what to do about it.
 * `program` is nft, found on PATH.
 */
export async function applyRuleset(ruleset: string, program = 'nft'): Promise<void> {
  const nft = spawn(program, ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'], timeout: TIMEOUT_MS });
  // nft that ends early, or is not there, breaks the pipe; its exit tells why.
  nft.stdin.on('error', () => undefined).end(ruleset);
  const complaint = text(nft.stderr);
  try {
    await once(nft, 'close');
  } catch (cause) {
    throw new InterceptionError(
      `The program ${program} cannot be started: ${reasonOf(cause)}. The image of the sidecar must hold nftables.`,
      { cause },
    );
  }
  if (nft.exitCode !== 0) throw new InterceptionError(sentenceFor(await complaint, nft.signalCode));
}

function sentenceFor(complaint: string, signal: NodeJS.Signals | null): string {
  if (signal !== null)
    return `nft was ended by ${signal}, after ${TIMEOUT_MS / 1000} s at the latest; the network rules are not in force.`;
  if (/Operation not permitted|Permission denied/.test(complaint))
    return (
      'The network rules may not be set: the init container needs the capability NET_ADMIN and user 0. ' +
      'Where the cluster forbids that, use spec.interception: Port.'
    );
  if (/Operation not supported|No such file or directory|Protocol not supported/.test(complaint))
    return (
      "This node's kernel cannot hold the network rules: it needs Linux 5.2 with nf_tables, NAT and fib (nft said: " +
      `${firstLine(complaint)}). Use spec.interception: Port there.`
    );
  return `nft refused the network rules: ${firstLine(complaint)}`;
}

function firstLine(complaint: string): string {
  return complaint.trim().split('\n', 1)[0]?.slice(0, 300) ?? '';
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'it is not on the PATH';
  if (code === 'EACCES') return 'it may not be run';
  return cause instanceof Error ? cause.message : String(cause);
}
