/** Which core runs what: load and upstream on the first, what is measured on the second. */
import { execFile, execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Cores {
  /** Put before a command so that it runs where load and upstream run. */
  readonly load: readonly string[];
  /** Put before a command so that it runs where what is measured runs. */
  readonly measured: readonly string[];
  /** Moves a process and its threads to the core of what is measured. */
  readonly moveToMeasured: (pid: number) => Promise<void>;
  /** How the cores were shared out, for the reader of the figures. */
  readonly note: string;
}

/** Two cores of their own where the machine has two and `taskset`; otherwise none, and the note says so. */
export function shareOut(): Cores {
  const missing = missingPart();
  if (missing !== undefined) {
    return {
      load: [],
      measured: [],
      moveToMeasured: () => Promise.resolve(),
      note: `Nothing is pinned: ${missing}.`,
    };
  }
  return {
    load: ['taskset', '-c', '0'],
    measured: ['taskset', '-c', '1'],
    moveToMeasured: async (pid) => {
      await run('taskset', ['-a', '-p', '-c', '1', String(pid)]);
    },
    note: 'Load and upstream run on core 0, what is measured on core 1.',
  };
}

function missingPart(): string | undefined {
  if (availableParallelism() < 2) return 'there is one core, and everything shares it';
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'taskset is not installed';
  }
}
