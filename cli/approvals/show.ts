/** Approvals as text for a terminal. Pure. */
import { plainText } from '../../lib/plain-text.ts';
import { callLines, factsOf } from '../../operator/approve/view.ts';
import type { ApprovalRequest } from './client.ts';

const HEAD = ['ID', 'PHASE', 'GATEWAY', 'TOOL', 'REQUESTER', 'RISK', 'EXPIRES'];

/** One line a request, newest first as it came. */
export function table(requests: readonly ApprovalRequest[], now: number): string {
  if (requests.length === 0) return 'No calls wait for your decision.\n';
  const rows = requests.map(({ metadata, spec, status }) => [
    metadata.name,
    status.phase,
    `${metadata.namespace}/${spec.gateway}`,
    spec.call.tool,
    spec.requester.username,
    String(spec.call.risk),
    status.phase === 'Pending' ? timeLeft(Date.parse(spec.expiresAt) - now) : '-',
  ]);
  const lines = [HEAD, ...rows.map((row) => row.map(plainText))];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Everything that an approver needs to know of one request, and what would run as a diff shows what is new. */
export function details(request: ApprovalRequest): string {
  const lines = factsOf(request).map(({ name, value }) => `${`${name}:`.padEnd(12)}${value}\n`);
  const call = callLines(request).map((line) => `  ${line}\n`);
  return `${lines.join('')}\n${call.join('')}`;
}

function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `in ${seconds}s`;
  if (seconds < 3600) return `in ${Math.round(seconds / 60)}m`;
  return `in ${Math.round(seconds / 3600)}h`;
}
