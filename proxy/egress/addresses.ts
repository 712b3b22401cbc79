/** Addresses that no name may lead the sidecar to: what only it could reach, and what hands out credentials. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const FORBIDDEN: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  // Link-local, with the metadata services of AWS, Azure, Google and their kin.
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Metadata of Alibaba and of Azure's wire server, which are not link-local.
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  // Metadata of AWS over IPv6.
  ['fd00:ec2::254', 128],
];

const forbidden = new BlockList();
for (const [address, prefix] of FORBIDDEN)
  forbidden.addSubnet(address, prefix, isIPv4(address) ? 'ipv4' : 'ipv6');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** An IPv6 address that stands for an IPv4 one counts as that: mapped, compatible, NAT64 and 6to4. */
export function isForbiddenAddress(address: string): boolean {
  return forms(address).some((form) => contains(forbidden, form));
}

export function isLoopback(address: string): boolean {
  return forms(address).some((form) => contains(loopback, form));
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function forms(address: string): string[] {
  const embedded = isIPv6(address) ? embeddedIPv4(address) : undefined;
  return embedded === undefined ? [address] : [address, embedded];
}

const EMBEDDING: readonly { readonly prefix: readonly number[]; readonly at: number }[] = [
  // Mapped and compatible (RFC 4291, 2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056).
  { prefix: [0, 0, 0, 0, 0, 0xffff], at: 6 },
  { prefix: [0, 0, 0, 0, 0, 0], at: 6 },
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 },
  { prefix: [0x2002], at: 1 },
];

function embeddedIPv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const found = EMBEDDING.find(({ prefix }) => prefix.every((group, index) => groups[index] === group));
  if (found === undefined) return undefined;
  const [high = 0, low = 0] = groups.slice(found.at);
  return dotted(high, low);
}

function groupsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname
    .slice(1, -1)
    .split('::');
  const first = numbers(head);
  const last = numbers(tail ?? '');
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function numbers(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
