/** `gatehouse operator`: the operator in a cluster, configured by its environment. */
import { parseArgs } from 'node:util';
import { runClusterProcess } from '../operator/cluster/process.ts';
import { SettingsError } from '../operator/cluster/settings.ts';
import { InjectionSettingsError } from '../operator/inject/injection-settings.ts';
import { ConfigError, readClusterConfig } from '../operator/config.ts';
import { sentenceOf } from '../lib/errors.ts';
import { UsageError, type Io } from './io.ts';

const HELP = `Usage: gatehouse operator

Watches the policies of a cluster, publishes them to the sidecars, keeps approvals. Configured by:

  GATEHOUSE_NAMESPACE        namespace of the installation
  GATEHOUSE_TLS_CERT_FILE    certificate of the control API and the webhooks, PEM, read again when it changes;
                             without it the operator issues its own, and the recorder's, and rotates them
  GATEHOUSE_TLS_KEY_FILE     its key, PEM
  GATEHOUSE_TLS_CA_FILE      the roots behind it, PEM, which sidecars are given
  GATEHOUSE_POD_NAME         name of this replica; default the host name
  GATEHOUSE_CONTROL_LISTEN   HOST:PORT of the control API, default 0.0.0.0:8443
  GATEHOUSE_WEBHOOK_LISTEN   HOST:PORT of the webhooks, default 0.0.0.0:9443
  GATEHOUSE_ADMIN_LISTEN     HOST:PORT of /metrics, /healthz, /readyz and approvals, default 0.0.0.0:8420
  GATEHOUSE_ADMIN_HOSTS      names that the admin API may be asked by, with commas between them
  GATEHOUSE_SETTINGS_FILE    YAML with floors, approvers, notify, console, publicUrl and injection
  GATEHOUSE_KUBECONFIG       kubeconfig instead of the service account of the pod
  GATEHOUSE_LOG_LEVEL        debug, info, warn or error; default info

One JSON line on standard output says where it listens; /readyz says when it is ready.
`;

export async function runOperator(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    io.stdout.write(HELP);
    return 0;
  }
  try {
    return await runClusterProcess(readClusterConfig(), io);
  } catch (error) {
    if ([ConfigError, SettingsError, InjectionSettingsError].some((kind) => error instanceof kind)) {
      throw new UsageError(sentenceOf(error), { cause: error });
    }
    throw error;
  }
}
