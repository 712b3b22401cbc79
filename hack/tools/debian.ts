/** Programs that Debian packages; installing them starts no service. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { PartError, type Part } from './part.ts';
import { run } from './run.ts';

/** Each package with a file that tells whether it is there, whoever put it there. */
const PACKAGES: Readonly<Record<string, string>> = {
  'etcd-server': '/usr/bin/etcd',
  containerd: '/usr/bin/containerd',
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/ptp',
  buildah: '/usr/bin/buildah',
  mmdebstrap: '/usr/bin/mmdebstrap',
  iptables: '/usr/sbin/iptables',
  nftables: '/usr/sbin/nft',
  prometheus: '/usr/bin/prometheus',
  iproute2: '/usr/sbin/ip',
  chromium: '/usr/bin/chromium',
  openssl: '/usr/bin/openssl',
  postgresql: '/usr/lib/postgresql/15/bin/initdb',
};

const POLICY = '/usr/sbin/policy-rc.d';

export const debian: Part = {
  name: 'debian',
  version: 'packages',
  about: `Debian packages (${Object.keys(PACKAGES).join(', ')})`,
  minutes: 1,
  isPresent: () => missing().length === 0,
  bring: async (say) => {
    if (spawnSync('apt-get', ['--version']).status !== 0)
      throw new PartError(
        `There is no apt-get on this machine; install ${missing().join(', ')} by its own means and run "make tools" again.`,
      );
    if (process.getuid?.() !== 0)
      throw new PartError(`Run "sudo apt-get install --no-install-recommends ${missing().join(' ')}" first.`);
    say(`installing ${missing().join(', ')}`);
    await withoutServices(install);
  },
};

function missing(): string[] {
  return Object.entries(PACKAGES).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
}

async function install(): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing()], { env });
}

/** policy-rc.d is what packages ask before they start a service; 101 is "not allowed". */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const before = existsSync(POLICY) ? readFileSync(POLICY) : undefined;
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (before === undefined) rmSync(POLICY, { force: true });
    else writeFileSync(POLICY, before);
  }
}
