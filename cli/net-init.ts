/** `gatehouse net-init`: sets the network rules of a guarded pod, before any of its containers starts. */
import { parseArgs } from 'node:util';
import { applyRuleset, familyOfThisKernel } from '../proxy/intercept/apply.ts';
import { ruleset } from '../proxy/intercept/ruleset.ts';
import {
  InterceptionSpecError,
  OPTION_OF,
  parseSpec,
  type InterceptionSpec,
} from '../proxy/intercept/spec.ts';
import { UsageError, type Io } from './io.ts';

const HELP = `Usage: gatehouse net-init --server-port PORT[,PORT…] --dns IP[,IP…] [options]

Sets the network rules of a pod whose gateway has interception Redirect. Runs once, as the first init container, with
the capability NET_ADMIN; running it again replaces the rules.

  --server-port PORTS      the server's: on loopback for the sidecar alone
  --dns IPS                the installation's resolver, the only address that UDP (port 53) leaves for
  --open-ports PORTS       other inbound ports that stay reachable
  --container-uids UIDS    users of the pod's containers, which may use each other's other ports on loopback
  --outbound-port PORT     where the sidecar takes the pod's outgoing TCP; without it outgoing TCP passes
  --local-ports PORTS      where the sidecar takes connections of the server alone, as to a database
  --local-uid UID          the server's user, who alone uses those
  --uid UID                the sidecar's user, default 64311
  --proxy-port PORT        where the sidecar takes MCP calls, default 15000
  --metrics-port PORT      its metrics, default 15020
  --health-port PORT       its probes, default 15021
  --print                  print the rules and change nothing
`;

const OPTIONS = {
  'server-port': { type: 'string' },
  dns: { type: 'string' },
  'open-ports': { type: 'string' },
  'container-uids': { type: 'string' },
  'outbound-port': { type: 'string' },
  'local-ports': { type: 'string' },
  'local-uid': { type: 'string' },
  uid: { type: 'string' },
  'proxy-port': { type: 'string' },
  'metrics-port': { type: 'string' },
  'health-port': { type: 'string' },
  print: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** Exit 0 when the rules are in force, 1 when they cannot be, 2 for a wrong command line. */
export async function runNetInit(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const spec = specOf(values);
  const rules = ruleset(spec, familyOfThisKernel());
  if (values.print) {
    io.stdout.write(rules);
    return 0;
  }
  await applyRuleset(rules);
  io.stdout.write(`${summaryOf(spec)}\n`);
  return 0;
}

function specOf(values: Values): InterceptionSpec {
  try {
    return parseSpec({
      proxyPort: one(values[OPTION_OF.proxyPort]),
      metricsPort: one(values[OPTION_OF.metricsPort]),
      healthPort: one(values[OPTION_OF.healthPort]),
      outboundPort: one(values[OPTION_OF.outboundPort]),
      localPorts: list(values[OPTION_OF.localPorts])?.map(number),
      localUid: one(values[OPTION_OF.localUid]),
      uid: one(values[OPTION_OF.uid]),
      serverPorts: list(values[OPTION_OF.serverPorts])?.map(number),
      openPorts: list(values[OPTION_OF.openPorts])?.map(number),
      containerUids: list(values[OPTION_OF.containerUids])?.map(number),
      dns: list(values[OPTION_OF.dns]),
    });
  } catch (error) {
    if (error instanceof InterceptionSpecError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function one(text: string | undefined): number | undefined {
  return text === undefined ? undefined : number(text);
}

/** An empty value is an empty list: `--open-ports=` is what a template writes for none. */
function list(text: string | undefined): string[] | undefined {
  return text === undefined ? undefined : text.split(',').filter((part) => part !== '' || text.includes(','));
}

/** NaN for what is no plain decimal number, which the spec refuses by the option's name. */
function number(text: string): number {
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
}

function summaryOf(spec: InterceptionSpec): string {
  const { proxyPort, outboundPort, openPorts, serverPorts, localPorts, localUid } = spec;
  const ports = (numbers: readonly number[]): string => numbers.join(', ');
  return [
    `Inbound TCP goes to port ${proxyPort}`,
    openPorts.length === 0 ? '' : ` (but to ${ports(openPorts)})`,
    `, on loopback port ${ports(serverPorts)} is the sidecar's alone`,
    localPorts.length === 0 ? '' : `, port ${ports(localPorts)} is for user ${localUid ?? 'nobody'} alone`,
    outboundPort === undefined ? ', outgoing TCP passes' : `, outgoing TCP goes to port ${outboundPort}`,
    ', everything else is dropped.',
  ].join('');
}
