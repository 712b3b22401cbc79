/** Approvals as text for a terminal. Pure. */
import { stripVTControlCharacters } from 'node:util';
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
  const lines = [HEAD, ...rows.map((row) => row.map(plain))];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Everything that an approver needs to know of one request. */
export function details({ metadata, spec, status }: ApprovalRequest): string {
  const { call, requester, rule } = spec;
  const outcome = status.outcome === undefined ? '' : `, ${status.outcome.toLowerCase()}`;
  const facts: [string, string][] = [
    ['Approval', metadata.name],
    ['Phase', `${status.phase}${outcome}`],
    ['Gateway', `${metadata.namespace}/${spec.gateway}`],
    ['Rule', rule.name],
    [
      'Requester',
      `${requester.username} (${requester.provider}; groups: ${requester.groups.join(', ') || 'none'})`,
    ],
    ['Tool', call.tool],
    ['Does', [...call.parsed.classes, ...call.parsed.targets].join(', ') || 'nothing that was recognized'],
    [
      'Risk',
      [String(call.risk), ...call.parsed.risk.map((part) => `${part.reason} (${part.points})`)].join('; '),
    ],
    ['Created', metadata.creationTimestamp],
    ['Expires', spec.expiresAt],
    ...spec.decisions.map((entry): [string, string] => [
      entry.verdict === 'Approve' ? 'Approved' : 'Denied',
      `by ${entry.by} at ${entry.at} via ${entry.via}${entry.comment === undefined ? '' : `: ${entry.comment}`}`,
    ]),
  ];
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(12)}${plain(value)}\n`);
  return `${lines.join('')}\n${indented(call.preview)}\n`;
}

function indented(preview: string): string {
  return preview
    .split('\n')
    .map((line) => `  ${plain(line)}`)
    .join('\n');
}

/** What callers wrote must not move the cursor or hide text in the approver's terminal. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
}

function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `in ${seconds}s`;
  if (seconds < 3600) return `in ${Math.round(seconds / 60)}m`;
  return `in ${Math.round(seconds / 3600)}h`;
}
