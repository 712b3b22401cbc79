/** `gatehouse recorder`: the recorder process, configured by its environment. */
import { parseArgs } from 'node:util';
import { readRecorderConfig, RecorderConfigError } from '../operator/record/config.ts';
import { runRecorderProcess } from '../operator/record/main.ts';
import { UsageError, type Io } from './io.ts';

const HELP = `Usage: gatehouse recorder

Takes record streams from proxies over HTTPS, checks their chains, stores them and signs for them. Configured by:

  GATEHOUSE_STORE_DIR           directory of the log
  GATEHOUSE_SIGNING_KEY_FILE    Ed25519 key in PEM, outside the store; made when absent
  GATEHOUSE_TLS_CERT_FILE       certificate of the server, PEM
  GATEHOUSE_TLS_KEY_FILE        its key, PEM
  GATEHOUSE_TOKENS_FILE         JSON {"<SHA-256 of a token, hex>": {"name": "<writer>"}}
  GATEHOUSE_TOKEN_REVIEW        1 to ask the API server of the cluster instead who shows a token
  GATEHOUSE_KUBECONFIG          kubeconfig for that instead of the service account of the pod
  GATEHOUSE_LISTEN              HOST:PORT, default 0.0.0.0:8443
  GATEHOUSE_METRICS_LISTEN      HOST:PORT of /metrics and /healthz, default 0.0.0.0:9090
  GATEHOUSE_RETENTION           how long closed segments are kept, such as 90d; default for ever
  GATEHOUSE_LOG_LEVEL           debug, info, warn or error; default info
  GATEHOUSE_EXIT_WITH_PARENT    1 to end when standard input ends

One JSON line on standard output says when it is ready and where.
`;

export async function runRecorder(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    io.stdout.write(HELP);
    return 0;
  }
  return runRecorderProcess(configuration(), io);
}

function configuration(): ReturnType<typeof readRecorderConfig> {
  try {
    return readRecorderConfig();
  } catch (error) {
    if (error instanceof RecorderConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
