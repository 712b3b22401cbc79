/**
 * A Kubernetes cluster on this machine, with real pods.
 *
 *   node hack/cluster/main.ts up|down|status [--name NAME] [--keep]
 *   node hack/cluster/main.ts load [--name NAME] ARCHIVE…
 *   node hack/cluster/main.ts run [--name NAME] -- COMMAND…     in the network of the cluster's node
 */
import { parseArgs } from 'node:util';
import { CommandFailed } from '../tools/run.ts';
import { bringUp } from './bring-up.ts';
import { clusterNamed } from './config.ts';
import { takeDown } from './take-down.ts';
import { ClusterError } from './errors.ts';
import { loadImages, runOnNode } from './images.ts';
import type { Layout } from './layout.ts';
import { runningState } from './state.ts';

const COMMANDS: Readonly<
  Record<string, (layout: Layout, args: readonly string[], keep: boolean) => Promise<void>>
> = {
  up: async (layout, _args, keep) => {
    await bringUp(layout, { keep, say: (progress) => console.log(`${layout.name}: ${progress}`) });
    console.log(`\nexport KUBECONFIG=${layout.kubeconfig}`);
  },
  down: async (layout) => {
    await takeDown(layout);
    console.log(`${layout.name}: nothing of it is left`);
  },
  status: (layout) => {
    console.log(runningState(layout) === undefined ? `${layout.name} is not running` : layout.kubeconfig);
    return Promise.resolve();
  },
  load: (layout, archives) => loadImages(layout, archives),
  run: async (layout, command) => {
    process.stdout.write(await runOnNode(layout, command));
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string', default: 'dev' }, keep: { type: 'boolean', default: false } },
});
const [name = '', ...args] = positionals;
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  console.error(`Say one of ${Object.keys(COMMANDS).join(', ')}.`);
  process.exit(2);
}
try {
  await command(clusterNamed(values.name), args, values.keep);
} catch (error) {
  if (!(error instanceof ClusterError || error instanceof CommandFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
