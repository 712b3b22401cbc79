/**
 * The network rules of a guarded pod as one nftables ruleset: the text that `nft -f -` takes in one transaction.
 *
 * Packets of a connection are judged by who opened it: `meta skuid` is the user who made the socket, which a process
 * can change neither by a socket option nor from a user namespace of its own. Where the kernel names no user (for
 * sockets it makes itself) no rule that grants something matches.
 */
import { isIPv6 } from 'node:net';
import { sidecarPorts, type InterceptionSpec } from './spec.ts';

/** `inet` holds rules for IPv4 and IPv6; `ip` is for kernels without IPv6. */
export type Family = 'inet' | 'ip';

export const TABLE = 'gatehouse';

const TO_THIS_POD = 'fib daddr type local';
const SYN_ACK = 'tcp flags & (syn | ack) == (syn | ack)';
/** RFC 4861: neighbour discovery is valid only from the same link, where nobody has lowered the hop limit. */
const SAME_LINK = 'ip6 hoplimit 255';

/** The same text for the same spec, whatever the order of its lists. */
export function ruleset(spec: InterceptionSpec, family: Family): string {
  const chains = [
    chain('inbound-divert', 'type nat hook prerouting priority dstnat; policy accept;', inboundDivert(spec)),
    chain(
      'outbound-divert',
      'type nat hook output priority -100; policy accept;',
      outboundDivert(spec, family),
    ),
    chain('inbound', 'type filter hook input priority filter; policy drop;', inbound(spec, family)),
    chain('outbound', 'type filter hook output priority filter; policy drop;', outbound(spec, family)),
    // A pod routes for nobody, though pods often inherit ip_forward from their node.
    chain('forward', 'type filter hook forward priority filter; policy drop;', []),
  ];
  // Adding before deleting makes the replacement work the first time too.
  return [
    `add table ${family} ${TABLE}`,
    `delete table ${family} ${TABLE}`,
    `table ${family} ${TABLE} {`,
    chains.join('\n\n'),
    '}',
    '',
  ].join('\n');
}

/** From other pods and the node: whatever port they aim at, they meet the sidecar. */
function inboundDivert(spec: InterceptionSpec): string[] {
  return ['iifname "lo" accept', `tcp dport != ${forEverybody(spec)} redirect to :${spec.proxyPort}`];
}

/** From inside the pod. Another container, exec and port-forward all arrive over loopback. */
function outboundDivert(spec: InterceptionSpec, family: Family): string[] {
  const { uid, proxyPort, outboundPort } = spec;
  return [
    `meta skuid ${uid} accept`,
    `${TO_THIS_POD} tcp dport ${forEverybody(spec)} accept`,
    `${TO_THIS_POD} tcp dport ${ports(spec.serverPorts)} redirect to :${proxyPort}`,
    ...ofOtherUsersToLocalPorts(spec, `redirect to :${proxyPort}`),
    ...toOtherLocalPorts(spec),
    `${TO_THIS_POD} meta l4proto tcp redirect to :${proxyPort}`,
    ...(outboundPort === undefined
      ? []
      : [...toResolver(spec, 'tcp', family), `meta l4proto tcp redirect to :${outboundPort}`]),
  ];
}

function inbound(spec: InterceptionSpec, family: Family): string[] {
  return [
    // Judged on its way out already.
    'iifname "lo" accept',
    'ct state established,related accept',
    `tcp dport ${forEverybody(spec)} accept`,
    ...(family === 'ip'
      ? []
      : [
          `${SAME_LINK} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept`,
          'icmpv6 type mld-listener-query accept',
        ]),
  ];
}

function outbound(spec: InterceptionSpec, family: Family): string[] {
  const { uid, proxyPort, outboundPort } = spec;
  const diverted = ports([proxyPort, ...(outboundPort === undefined ? [] : [outboundPort])]);
  const listeners = ports([...sidecarPorts(spec), ...spec.localPorts]);
  return [
    // Nobody else answers on the sidecar's ports, not even while the sidecar restarts.
    `tcp sport ${listeners} ${SYN_ACK} meta skuid ${uid} accept`,
    `tcp sport ${listeners} ${SYN_ACK} drop`,
    'ct state established,related accept',
    `meta skuid ${uid} accept`,
    `ct status dnat tcp dport ${diverted} accept`,
    `${TO_THIS_POD} tcp dport ${forEverybody(spec)} accept`,
    `${TO_THIS_POD} tcp dport ${ports(spec.serverPorts)} drop`,
    ...ofOtherUsersToLocalPorts(spec, 'drop'),
    ...toOtherLocalPorts(spec),
    `${TO_THIS_POD} drop`,
    ...toResolver(spec, 'udp', family),
    ...(outboundPort === undefined ? ['meta l4proto tcp accept'] : toResolver(spec, 'tcp', family)),
    ...(family === 'ip'
      ? []
      : [
          `${SAME_LINK} icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept`,
          'icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } accept',
        ]),
  ];
}

/** Reached as they are, from wherever. */
function forEverybody({ proxyPort, metricsPort, healthPort, openPorts }: InterceptionSpec): string {
  return ports([proxyPort, metricsPort, healthPort, ...openPorts]);
}

/** What the sidecar has for the server is for no other container, and for no port-forward of root. */
function ofOtherUsersToLocalPorts({ localPorts, localUid }: InterceptionSpec, verdict: string): string[] {
  return localPorts.length === 0 || localUid === undefined
    ? []
    : [`${TO_THIS_POD} tcp dport ${ports(localPorts)} meta skuid != ${localUid} ${verdict}`];
}

/** Containers of the pod may talk to each other, past the server's ports. Port-forward is none of them. */
function toOtherLocalPorts({ containerUids }: InterceptionSpec): string[] {
  return containerUids.length === 0
    ? []
    : [`${TO_THIS_POD} meta l4proto tcp meta skuid ${numbers(containerUids)} accept`];
}

function toResolver({ dns }: InterceptionSpec, protocol: 'tcp' | 'udp', family: Family): string[] {
  const rule = (field: string, addresses: readonly string[]): string[] =>
    addresses.length === 0 ? [] : [`${field} daddr ${set(addresses)} ${protocol} dport 53 accept`];
  const six = dns.filter((address) => isIPv6(address)).sort();
  const four = dns.filter((address) => !isIPv6(address)).sort();
  return [...rule('ip', four), ...(family === 'ip' ? [] : rule('ip6', six))];
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  return [`  chain ${name} {`, ...[hook, ...rules].map((line) => `    ${line}`), '  }'].join('\n');
}

const ports = numbers;

function numbers(values: readonly number[]): string {
  return set([...new Set(values)].sort((a, b) => a - b).map(String));
}

function set(elements: readonly string[]): string {
  return `{ ${[...new Set(elements)].join(', ')} }`;
}
