/** A process of this installation: started, waited for, started again when it dies, and ended in good order. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { ProcessStatus } from '../admin/status.ts';

const readyLine = z.object({ ready: z.literal(true), listen: z.string(), metrics: z.string() });

/** What a process says of itself once it serves. */
export type Ready = z.infer<typeof readyLine>;

export interface ChildSpec {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** Its environment. `before` is what its predecessor said, so that a successor listens where that one did. */
  readonly environment: (before: Ready | undefined) => Readonly<Record<string, string>>;
}

export interface ChildDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Where its stderr goes. */
  readonly stderr: Writable;
  /** Called whenever it has ended, before it is started again. */
  readonly onEnd?: () => void;
}

export interface Child {
  readonly ready: Ready;
  status(): ProcessStatus;
  /** Ends it in good order; it is then started again. */
  restart(): void;
  /** Ends it in good order, by force when it takes too long. */
  stop(): Promise<void>;
}

/** The first start failed: what the process said stands on stderr. */
export class ChildFailed extends GatehouseError {
  readonly code = 'child_failed';
  readonly exitCode: number | undefined;

  constructor(message: string, exitCode: number | undefined) {
    super(message);
    this.exitCode = exitCode;
  }
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 10_000;

/** Resolves when the process is ready for the first time; throws ChildFailed when it ends before. */
export async function startChild(spec: ChildSpec, deps: ChildDeps): Promise<Child> {
  const { clock, log } = deps;
  let running = launch(spec, deps, undefined);
  const first = await running.ready;
  let current: Ready | undefined = first;
  let failures = 0;
  let restarts = 0;
  let stopping = false;
  let cancelRestart: () => void = () => undefined;

  const supervise = (): void => {
    void running.ended.then((how) => {
      current = undefined;
      deps.onEnd?.();
      if (stopping) return;
      const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures);
      log.error({ process: spec.name, how, againInMs: backoff }, 'A process ended and is started again.');
      cancelRestart = clock.after(backoff, again);
    });
  };
  const again = (): void => {
    restarts += 1;
    failures += 1;
    running = launch(spec, deps, first);
    running.ready.then(
      (ready) => {
        current = ready;
        failures = 0;
        log.info({ process: spec.name, pid: running.process.pid }, 'process is ready again');
      },
      () => undefined,
    );
    supervise();
  };
  supervise();

  return {
    ready: first,
    status: () => ({ name: spec.name, running: current !== undefined, url: current?.listen, restarts }),
    restart: () => void end(running),
    stop: async () => {
      stopping = true;
      cancelRestart();
      await end(running);
    },
  };
}

interface Running {
  readonly process: ChildProcess;
  readonly ready: Promise<Ready>;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
}

function launch(spec: ChildSpec, deps: ChildDeps, before: Ready | undefined): Running {
  const [program, ...args] = spec.command;
  // In a group of its own: Ctrl-C goes to the terminal's group, and the order of ending is ours.
  const child = spawn(program, args, {
    env: spec.environment(before),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  child.stderr.pipe(deps.stderr, { end: false });
  // A child that is gone cannot be written to, and its end is noticed otherwise.
  child.stdin.on('error', () => undefined);
  const ended = endOf(child);
  return { process: child, ended, ready: readyOf(spec.name, child.stdout, child, ended) };
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    await once(child, 'exit');
  } catch (error) {
    return sentenceOf(error);
  }
  return child.signalCode === null ? `exit code ${String(child.exitCode)}` : `signal ${child.signalCode}`;
}

async function readyOf(
  name: string,
  stdout: Readable,
  child: ChildProcess,
  ended: Promise<string>,
): Promise<Ready> {
  const lines = createInterface({ input: stdout });
  const late = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS);
  try {
    const line = await Promise.race([once(lines, 'line'), ended]);
    if (typeof line === 'string') {
      throw new ChildFailed(`The ${name} ended (${line}) before it was ready.`, child.exitCode ?? undefined);
    }
    return readyLine.parse(JSON.parse(String(line[0])));
  } catch (error) {
    // One that says something else is not ours to wait for; one that has ended does not mind.
    child.kill('SIGKILL');
    if (error instanceof ChildFailed) throw error;
    throw new ChildFailed(`The ${name} did not say where it listens.`, undefined);
  } finally {
    clearTimeout(late);
    // Nothing more is expected; what comes is let go, so that the pipe never fills.
    lines.close();
    stdout.resume();
  }
}

/** Asks a process to end, then insists. */
async function end(running: Running): Promise<void> {
  const { process: child } = running;
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const insist = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  child.kill('SIGTERM');
  await running.ended;
  clearTimeout(insist);
}
