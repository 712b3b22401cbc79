/**
 * A pod's network and its surroundings without a cluster: one network namespace for the pod, one for everybody else,
 * an Ethernet pair between them, IPv4 and IPv6. Containers are processes with a user and capabilities of their own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOCKETS = join(import.meta.dirname, 'socket.pl');
const CLI = join(import.meta.dirname, '../../cli/main.ts');

export const POD = { v4: '10.203.7.2', v6: 'fd52:5::2', linkLocal: 'fe80::52:2%world0' } as const;
export const WORLD = { v4: '10.203.7.1', v6: 'fd52:5::1' } as const;

export type Place = 'pod' | 'world';

/** Who opens the sockets: where, as which user, with which capabilities (none), in which user namespace (none). */
export interface Who {
  readonly place: Place;
  readonly uid: number;
  readonly capabilities?: readonly string[];
  /** The user that the process claims to be, in a user namespace that it makes itself. */
  readonly claimedUid?: number;
  /** Files of its own, by the path at which it finds them in place of the machine's. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Why this machine cannot run these tests; undefined when it can. */
export function cannotMakeNetworks(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root to make network namespaces';
  const missing = ['nft', 'ip', 'nsenter', 'setpriv', 'unshare', 'perl'].filter(
    (program) => !isOnPath(program),
  );
  return missing.length === 0 ? undefined : `needs the programs ${missing.join(', ')} (make tools)`;
}

function isOnPath(program: string): boolean {
  return `${process.env['PATH'] ?? ''}:/usr/sbin`
    .split(':')
    .some((folder) => existsSync(join(folder, program)));
}

export class PodNetwork implements AsyncDisposable {
  readonly #holders: Readonly<Record<Place, ChildProcess>>;
  readonly #servers = new Set<ChildProcess>();

  private constructor(holders: Readonly<Record<Place, ChildProcess>>) {
    this.#holders = holders;
  }

  static async create(): Promise<PodNetwork> {
    const network = new PodNetwork({ pod: await holdNetwork(), world: await holdNetwork() });
    try {
      await network.#connect();
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #connect(): Promise<void> {
    const { pod, world } = this.#holders;
    const pair = `link add eth0 netns ${pod.pid ?? 0} type veth peer name world0 netns ${world.pid ?? 0}`;
    await run('ip', pair.split(' '));
    for (const [place, device, address] of [
      ['pod', 'eth0', POD],
      ['world', 'world0', WORLD],
    ] as const) {
      await this.inside(place, 'ip', ['link', 'set', 'lo', 'up']);
      // Duplicate address detection would make the addresses unusable for the first second.
      await this.inside(place, 'sysctl', ['-qw', `net.ipv6.conf.${device}.accept_dad=0`]);
      await this.inside(place, 'ip', ['link', 'set', device, 'up']);
      await this.inside(place, 'ip', ['address', 'add', `${address.v4}/24`, 'dev', device]);
      await this.inside(place, 'ip', ['address', 'add', `${address.v6}/64`, 'dev', device, 'nodad']);
    }
    const linkLocal = POD.linkLocal.replace(/%.*/, '');
    await this.inside('pod', 'ip', ['address', 'add', `${linkLocal}/64`, 'dev', 'eth0', 'nodad']);
    for (const place of ['pod', 'world'] as const) {
      // As containerd sets them: everybody may ping, and listen on any port. 1027 is fast open without cookies.
      for (const setting of [
        'net.ipv4.ping_group_range=0 2147483647',
        'net.ipv4.ip_unprivileged_port_start=0',
        'net.ipv4.tcp_fastopen=1027',
      ])
        await this.inside(place, 'sysctl', ['-qw', setting]);
    }
  }

  /** Runs a program in one of the namespaces, as root; its standard output. */
  async inside(place: Place, program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', [this.#net(place), program, ...args]);
    return stdout;
  }

  /** `gatehouse net-init` in the pod, as its init container runs it. */
  async netInit(args: readonly string[], capabilities = ['net_admin']): Promise<string> {
    const who: Who = { place: 'pod', uid: 0, capabilities };
    const { stdout } = await run('nsenter', [...this.#as(who), process.execPath, CLI, 'net-init', ...args]);
    return stdout;
  }

  /** Listens in the background: `listeners` are `kind,host,port`. Answers name and port to whatever arrives. */
  async serve(who: Who, name: string, listeners: readonly string[]): Promise<() => Promise<void>> {
    const server = spawn('nsenter', [...this.#as(who), 'perl', SOCKETS, 'serve', name, ...listeners], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#servers.add(server);
    for await (const line of createInterface(server.stdout)) {
      if (line === 'ready') return () => end(server);
    }
    throw new Error(`${name} does not listen on ${listeners.join(' ')}.`);
  }

  /** One attempt: `answered …`, `refused ERRNO` or `silence`. */
  async attempt(who: Who, args: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', [...this.#as(who), 'perl', SOCKETS, 'try', ...args]);
    return stdout.trim();
  }

  /** What is written before a program so that it runs as somebody: a command line of this machine. */
  prefix(who: Who): readonly string[] {
    return ['nsenter', ...this.#as(who)];
  }

  /** Runs a program as somebody; what it printed, whatever its exit code. */
  async outputOf(
    who: Who,
    [program = '', ...args]: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const path = { PATH: process.env['PATH'] };
    const options = { env: { ...path, ...env }, timeout: 30_000 };
    const { stdout } = await run('nsenter', [...this.#as(who), program, ...args], options).catch(
      (error: unknown) => {
        if (error instanceof Error && 'stdout' in error) return { stdout: String(error.stdout) };
        throw error;
      },
    );
    return stdout.trim();
  }

  /** Runs a program as somebody of the pod; its exit code. */
  async exitOf(who: Who, program: string, args: readonly string[]): Promise<number> {
    const child = spawn('nsenter', [...this.#as(who), program, ...args], { stdio: 'ignore' });
    await once(child, 'exit');
    return child.exitCode ?? 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await end(server);
    for (const holder of Object.values(this.#holders)) await end(holder);
  }

  #net(place: Place): string {
    return `--net=/proc/${this.#holders[place].pid ?? 0}/ns/net`;
  }

  /** What a runtime does before it runs a container's program. */
  #as({ place, uid, capabilities = [], claimedUid, files = {} }: Who): string[] {
    const kept = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
    return [
      this.#net(place),
      ...withFiles(files),
      'setpriv',
      ...['--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
      ...['--bounding-set', kept, '--inh-caps', kept],
      // A runtime of containers gives capabilities to root alone, and takes the way to gain them away.
      ...(capabilities.length > 0 ? [] : ['--no-new-privs']),
      ...(claimedUid === undefined ? [] : ['unshare', `--map-user=${claimedUid}`, '--']),
    ];
  }
}

/** A mount namespace of its own with these files in place of the machine's. */
function withFiles(files: Readonly<Record<string, string>>): string[] {
  const pairs = Object.entries(files);
  if (pairs.length === 0) return [];
  const mounts = pairs.map(([path, source]) => `mount --bind '${source}' '${path}' && `).join('');
  return ['unshare', '--mount', '--', 'sh', '-c', `${mounts}exec "$@"`, 'sh'];
}

/** A network namespace without a name, which is gone with the process that holds it, and that with this one. */
async function holdNetwork(): Promise<ChildProcess> {
  const holder = spawn('unshare', ['--net', '--', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  holder.stdin.write('here\n');
  await once(holder.stdout, 'data');
  return holder;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
