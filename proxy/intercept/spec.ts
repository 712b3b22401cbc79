/** What the network rules of a guarded pod are made from. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { SIDECAR_PORTS, SIDECAR_UID } from '../../crds/sidecar.ts';
import { GatehouseError } from '../../lib/errors.ts';

/** The rules cannot be made from what was given; the sentence names the option. */
export class InterceptionSpecError extends GatehouseError {
  readonly code = 'bad_interception';
}

const port = z.int().min(1).max(65_535);
// 4294967295 means "no user" to the kernel.
const uid = z.int().min(0).max(4_294_967_294);

const members = z.strictObject({
  /** Where the sidecar takes MCP calls; what is redirected inbound ends here. */
  proxyPort: port.default(SIDECAR_PORTS.mcp),
  metricsPort: port.default(SIDECAR_PORTS.metrics),
  healthPort: port.default(SIDECAR_PORTS.probes),
  /** Where the sidecar takes the pod's own calls outward. Without it outgoing TCP passes. */
  outboundPort: port.optional(),
  /** Where the sidecar takes connections of the server alone, such as to a database. */
  localPorts: z.array(port).default([]),
  /** The server's user, who alone uses those. */
  localUid: uid.optional(),
  /** The sidecar's user, whom the rules let through. */
  uid: uid.min(1).default(SIDECAR_UID),
  /** Ports of the server that nobody but the sidecar reaches, on loopback neither. */
  serverPorts: z.array(port).min(1),
  /** Ports that stay reachable as if there were no sidecar. */
  openPorts: z.array(port).default([]),
  /** Users of the pod's containers: they may use each other's other ports on loopback. */
  containerUids: z.array(uid).default([]),
  /** Addresses of the installation's resolver, the only ones that UDP may leave for. */
  dns: z.array(z.string()).min(1),
});

export type InterceptionSpec = Readonly<z.output<typeof members>>;
export type InterceptionInput = z.input<typeof members>;

/** What each member is called on the command line of `gatehouse net-init`. */
export const OPTION_OF = {
  proxyPort: 'proxy-port',
  metricsPort: 'metrics-port',
  healthPort: 'health-port',
  outboundPort: 'outbound-port',
  localPorts: 'local-ports',
  localUid: 'local-uid',
  uid: 'uid',
  serverPorts: 'server-port',
  openPorts: 'open-ports',
  containerUids: 'container-uids',
  dns: 'dns',
} as const satisfies Record<keyof InterceptionSpec, string>;

const EXPECTED: Partial<Record<keyof InterceptionSpec, string>> = {
  dns: 'IP addresses',
  uid: 'a user by number, and not 0',
  localUid: 'a user by number',
  containerUids: 'users by number',
};

/** Throws InterceptionSpecError with a sentence. */
export function parseSpec(input: Partial<Record<keyof InterceptionSpec, unknown>>): InterceptionSpec {
  const parsed = members.safeParse(input);
  if (!parsed.success) throw new InterceptionSpecError(sentenceFor(parsed.error.issues[0]));
  const spec = parsed.data;
  const contradiction = contradictionIn(spec);
  if (contradiction !== undefined) throw new InterceptionSpecError(contradiction);
  return spec;
}

/** The sidecar's own listeners. */
export function sidecarPorts(spec: InterceptionSpec): number[] {
  const { proxyPort, metricsPort, healthPort, outboundPort } = spec;
  return [proxyPort, metricsPort, healthPort, ...(outboundPort === undefined ? [] : [outboundPort])];
}

function sentenceFor(issue: z.core.$ZodIssue | undefined): string {
  const key = issue?.path[0];
  const isMember = (name: unknown): name is keyof InterceptionSpec =>
    typeof name === 'string' && Object.hasOwn(OPTION_OF, name);
  if (!isMember(key)) return `The network rules cannot be made: ${issue?.message ?? 'unreadable'}.`;
  const what = EXPECTED[key] ?? 'ports from 1 to 65535';
  return `--${OPTION_OF[key]} must name ${what}, separated by commas where there are several.`;
}

/** Each of these would open a way around the sidecar, or close the way to it. */
function contradictionIn(spec: InterceptionSpec): string | undefined {
  const address = spec.dns.find((text) => isIP(text) === 0 || text.includes('%'));
  if (address !== undefined) return `--dns must name IP addresses, and "${printable(address)}" is none.`;
  const own = sidecarPorts(spec);
  if (new Set(own).size < own.length)
    return "Two of the sidecar's ports are the same; --proxy-port, --metrics-port, --health-port and --outbound-port must differ.";
  const open = spec.openPorts.find((candidate) => spec.serverPorts.includes(candidate));
  if (open !== undefined)
    return `Port ${open} is the server's (--server-port) and cannot be among --open-ports: it would be reachable unguarded.`;
  const taken = spec.serverPorts.find((candidate) => own.includes(candidate));
  if (taken !== undefined) return `Port ${taken} belongs to the sidecar; --server-port must not name it.`;
  if (spec.outboundPort !== undefined && spec.openPorts.includes(spec.outboundPort))
    return `Port ${spec.outboundPort} is for calls from inside the pod (--outbound-port) and cannot be among --open-ports.`;
  if ([...spec.containerUids, spec.localUid].includes(spec.uid))
    return `User ${spec.uid} is the sidecar's and cannot be among --container-uids or be --local-uid: another container must run as another user.`;
  return contradictionOfLocalPorts(spec);
}

function contradictionOfLocalPorts(spec: InterceptionSpec): string | undefined {
  const elsewhere = [...sidecarPorts(spec), ...spec.serverPorts, ...spec.openPorts];
  const local = spec.localPorts.find((candidate) => elsewhere.includes(candidate));
  if (local !== undefined)
    return `Port ${local} is for connections of the server to the sidecar (--local-ports) and cannot be the server's, open, or one of the sidecar's other ports.`;
  if (spec.localPorts.length > 0 && spec.localUid === undefined)
    return '--local-ports are for the user of the server alone; name that user with --local-uid.';
  return undefined;
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, 64);
}
