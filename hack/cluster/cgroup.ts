/**
 * The control groups of a cluster. Everything that it starts is born in them, so whatever is in them is the cluster's
 * and nothing else is: that is how it is found and ended, however its start went.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from './errors.ts';

const ROOT = '/sys/fs/cgroup';
/** Below the cluster's group: the processes of the node, beside the pods' groups that the kubelet makes. */
const NODE = 'node';

/** One on a machine with the unified hierarchy, one for each controller on an older one. */
function hierarchies(): readonly string[] {
  if (existsSync(join(ROOT, 'cgroup.controllers'))) return [ROOT];
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, entry.name, 'cgroup.procs')))
    .map((entry) => join(ROOT, entry.name));
}

/** Makes the groups; returns the files into which a process of the node writes its id to join them. */
export function createCgroups(name: string): readonly string[] {
  const files = hierarchies().map((hierarchy) => {
    const group = join(hierarchy, name);
    if (existsSync(join(hierarchy, 'cgroup.subtree_control'))) delegate(hierarchy);
    mkdirSync(join(group, NODE), { recursive: true });
    inheritCpuset(hierarchy, group);
    inheritCpuset(group, join(group, NODE));
    return join(group, NODE, 'cgroup.procs');
  });
  if (files.length === 0)
    throw new ClusterError(
      `There are no control groups under ${ROOT}; mount them, as a container that runs pods needs them.`,
    );
  return files;
}

/** The unified hierarchy hands on only the controllers that the parent names. */
function delegate(hierarchy: string): void {
  for (const controller of readFileSync(join(hierarchy, 'cgroup.controllers'), 'utf8').trim().split(/\s+/)) {
    try {
      writeFileSync(join(hierarchy, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // Not every controller can be handed on; the kubelet says which one it misses.
    }
  }
}

/** A new group of the old cpuset controller has no processors, and takes no process until it has. */
function inheritCpuset(parent: string, group: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(parent, file)) || existsSync(join(parent, 'cgroup.controllers'))) continue;
    writeFileSync(join(group, file), readFileSync(join(parent, file)));
  }
}

/** The processes of the cluster, by their ids on this machine. */
export function processesIn(name: string): readonly number[] {
  const ids = groupsOf(name).flatMap((group) =>
    readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
  );
  return [...new Set(ids)];
}

/** Kills every process of the cluster and removes its groups. Throws ClusterError when something does not go. */
export async function removeCgroups(name: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (groupsOf(name).length > 0) {
    if (Date.now() > deadline)
      throw new ClusterError(
        `Processes ${processesIn(name).join(', ')} or control groups of ${name} did not go; see ${groupsOf(name).join(', ')}.`,
      );
    for (const id of processesIn(name)) kill(id);
    for (const group of groupsOf(name)) removeIfEmpty(group);
    if (groupsOf(name).length > 0) await sleep(50);
  }
}

/** The groups of the cluster, each after those below it. */
function groupsOf(name: string): readonly string[] {
  return hierarchies().flatMap((hierarchy) => below(join(hierarchy, name)));
}

function below(group: string): string[] {
  try {
    const children = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...children.flatMap((child) => below(join(group, child.name))), group];
  } catch {
    // It was removed in the meantime, or never was.
    return [];
  }
}

function kill(id: number): void {
  // 0 stands for a process of another process namespace, which is not ours to see.
  if (id === 0) return;
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function removeIfEmpty(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // Its processes are still ending; the next round tries again.
  }
}
