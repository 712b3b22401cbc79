/**
 * The base of the image where no registry is at hand: what Node and the network rules need, from Debian packages, and
 * the Node that the lockfile pins. Elsewhere any image with `node` on its PATH takes its place (`make image BASE=…`).
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheDirectory } from '../config.ts';
import { buildImage } from '../container-image.ts';
import { cachedPart } from '../part.ts';
import { run } from '../run.ts';

const SUITE = 'bookworm';
const PACKAGES = ['libc6', 'libstdc++6', 'ca-certificates', 'iptables', 'nftables'];
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/lib/*/gconv/*'];

const NODE_PACKAGE = join(import.meta.dirname, '../../../node_modules/node');
const nodeVersion = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(NODE_PACKAGE, 'package.json'), 'utf8'))).version;

/** Extracted packages run no scripts of theirs, so what those would make is made here. */
const HOOKS = [
  'mkdir -p "$1/etc/ssl/certs" "$1/tmp" "$1/proc" "$1/sys" "$1/dev" "$1/usr/local/bin"',
  'chmod 1777 "$1/tmp"',
  'cat "$1"/usr/share/ca-certificates/mozilla/*.crt > "$1/etc/ssl/certs/ca-certificates.crt"',
  'rm -rf "$1/usr/share/ca-certificates"',
  String.raw`printf 'root:x:0:0::/:/sbin/nologin\nnobody:x:65534:65534::/:/sbin/nologin\n' > "$1/etc/passwd"`,
  String.raw`printf 'root:x:0:\nnogroup:x:65534:\n' > "$1/etc/group"`,
  'ln -sf iptables-nft-restore "$1/usr/sbin/iptables-restore"',
  'ln -sf ip6tables-nft-restore "$1/usr/sbin/ip6tables-restore"',
  'ln -sf iptables-nft "$1/usr/sbin/iptables"',
  'ln -sf ip6tables-nft "$1/usr/sbin/ip6tables"',
];

/** The base as an image; pods of tests run it too. */
export const BASE_IMAGE = `localhost/gatehouse-base:${SUITE}-node-${nodeVersion}`;

export const imageBase = cachedPart(cacheDirectory, {
  name: 'image-base',
  version: `${SUITE}-node-${nodeVersion}-1`,
  about: `the base of images: Debian ${SUITE} without a shell, Node ${nodeVersion}`,
  minutes: 1,
  files: ['image.tar'],
  build: async (directory, say) => {
    say('extracting Debian packages');
    const unfinished = mkdtempSync(join(tmpdir(), 'gatehouse-base-'));
    try {
      const node = join(unfinished, 'node');
      copyFileSync(join(NODE_PACKAGE, 'bin/node'), node);
      await run('mmdebstrap', [
        '--variant=extract',
        '--mode=root',
        `--include=${PACKAGES.join(',')}`,
        '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
        ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
        ...HOOKS.map((hook) => `--extract-hook=${hook}`),
        `--extract-hook=upload ${node} /usr/local/bin/node`,
        '--extract-hook=chmod 755 "$1/usr/local/bin/node"',
        SUITE,
        join(unfinished, 'rootfs.tar'),
      ]);
      say('making an image of them');
      await buildImage({
        reference: BASE_IMAGE,
        dockerfile:
          'FROM scratch\nADD rootfs.tar /\nENV PATH=/usr/local/bin:/usr/sbin:/usr/bin\nENTRYPOINT ["node"]\n',
        context: unfinished,
        archive: join(directory, 'image.tar'),
      });
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  },
});
