/** What is known of a running cluster: its first process and where its API server is reached. */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { processesIn } from './cgroup.ts';
import type { Layout } from './layout.ts';

const stateSchema = z.object({ pid: z.int().positive(), port: z.int().positive() });

export type ClusterState = z.infer<typeof stateSchema>;

export function writeState(layout: Layout, state: ClusterState): void {
  writeFileSync(layout.stateFile, JSON.stringify(state));
}

/** Undefined unless the cluster's first process is alive: a number alone could be somebody else's by now. */
export function runningState(layout: Layout): ClusterState | undefined {
  const state = readState(layout);
  return state !== undefined && processesIn(layout.cgroup).includes(state.pid) ? state : undefined;
}

function readState(layout: Layout): ClusterState | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(layout.stateFile, 'utf8')));
  } catch {
    return undefined;
  }
}
