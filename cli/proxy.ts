/** `gatehouse proxy`: the guarding proxy, configured by its environment. */
import { parseArgs } from 'node:util';
import { ProxyConfigError, readProxyConfig } from '../proxy/config.ts';
import { runProxyProcess } from '../proxy/main.ts';
import { UsageError, type Io } from './io.ts';

const HELP = `Usage: gatehouse proxy

Guards MCP servers: takes its policies from the operator and delivers its records to the recorder. Configured by:

  GATEHOUSE_CONTROL_URL         https URL of the operator
  GATEHOUSE_RECORDER_URL        https URL of the recorder
  GATEHOUSE_CA_FILE             root certificates of both, PEM; or GATEHOUSE_CA with the PEM itself
  GATEHOUSE_TOKEN_FILE          bearer token for both
  GATEHOUSE_STATE_DIR           directory of what is not delivered yet
  GATEHOUSE_LISTEN              HOST:PORT for clients, default [::]:15000
  GATEHOUSE_METRICS_LISTEN      HOST:PORT of /metrics, /healthz and /readyz, default [::]:15020
  GATEHOUSE_PROBES              JSON of the probes that the kubelet asks here, as injection writes it
  GATEHOUSE_PROBES_LISTEN       HOST:PORT where it asks, default [::]:15021
  GATEHOUSE_EGRESS_LISTEN       HOST:PORT for the server's own calls to the outside; without it they are not served
  GATEHOUSE_EGRESS_TRUST_DIR    directory for what the server has to trust, default egress in the state directory
  GATEHOUSE_RESOLVERS           addresses to ask for names, separated by commas; default those of this machine
  GATEHOUSE_CLUSTER_DOMAIN      domain that completes NAME.NAMESPACE.svc, default cluster.local
  GATEHOUSE_LOG_LEVEL           debug, info, warn or error; default info
  GATEHOUSE_EXIT_WITH_PARENT    1 to end when standard input ends

One JSON line on standard output says when it is ready and where.
`;

export async function runProxy(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    io.stdout.write(HELP);
    return 0;
  }
  return runProxyProcess(configuration(), io);
}

function configuration(): ReturnType<typeof readProxyConfig> {
  try {
    return readProxyConfig();
  } catch (error) {
    if (error instanceof ProxyConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
