/** kubectl against one cluster. */
import { kubernetes } from '../tools/parts.ts';
import { run, type RunOptions } from '../tools/run.ts';

/** Standard output of `kubectl ARGS`; rejects with CommandFailed, which says what kubectl said. */
export function kubectl(
  kubeconfig: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return run(kubernetes.file('kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], {
    timeout: 120_000,
    ...options,
  });
}
