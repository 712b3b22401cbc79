/**
 * A Kubernetes cluster on this machine, with real pods.
 *
 *   node hack/cluster/main.ts up|down|status [--name NAME] [--keep]
 *   node hack/cluster/main.ts load [--name NAME] ARCHIVE…
 *   node hack/cluster/main.ts run [--name NAME] -- COMMAND…     in the network of the cluster's node
 */
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../tools/command.ts';
import { bringUp } from './bring-up.ts';
import { clusterNamed } from './config.ts';
import { takeDown } from './take-down.ts';
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

process.exitCode = await runCommand(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: 'string', default: 'dev' }, keep: { type: 'boolean', default: false } },
  });
  const [name = '', ...args] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError(`Say one of ${Object.keys(COMMANDS).join(', ')}.`);
  await command(clusterNamed(values.name), args, values.keep);
});
