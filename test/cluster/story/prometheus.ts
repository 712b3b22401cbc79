/** Prometheus as Debian packages it, in the network of the cluster's node. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { stringify } from 'yaml';
import { z } from 'zod';
import { runOnNode } from '../../../hack/cluster/images.ts';
import type { Layout } from '../../../hack/cluster/layout.ts';
import { runningState } from '../../../hack/cluster/state.ts';
import { eventually } from '../cluster.ts';

const LISTEN = '127.0.0.1:9099';

const answer = z.array(
  z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
);

/** Scrapes the targets, by job; resolves with what a query says once every job of them is in its answer. */
export async function queryPrometheus(
  layout: Layout,
  targets: Readonly<Record<string, readonly string[]>>,
  query: string,
): Promise<z.infer<typeof answer>> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-prometheus-'));
  writeFileSync(join(directory, 'prometheus.yml'), configuration(targets));
  const prometheus = spawn(
    'nsenter',
    [
      `--target=${runningState(layout)?.pid ?? 0}`,
      ...['--net', '--', 'prometheus'],
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${LISTEN}`,
    ],
    { stdio: 'ignore' },
  );
  const ended = once(prometheus, 'exit');
  try {
    return await eventually(async () => {
      const text = await runOnNode(layout, [
        ...['promtool', 'query', 'instant', '--format=json'],
        ...[`http://${LISTEN}`, query],
      ]);
      const found = answer.parse(JSON.parse(text));
      const jobs = new Set(found.map(({ metric }) => metric['job']));
      const absent = Object.keys(targets).filter((job) => !jobs.has(job));
      if (absent.length > 0) throw new Error(`Prometheus has nothing of ${absent.join(' and ')}.`);
      return found;
    });
  } finally {
    prometheus.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

function configuration(targets: Readonly<Record<string, readonly string[]>>): string {
  return stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: Object.entries(targets).map(([job, addresses]) => ({
      job_name: job,
      static_configs: [{ targets: addresses }],
    })),
  });
}
