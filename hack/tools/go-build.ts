/** Builds the Go programs whose modules lie beside this file. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PartError } from './part.ts';
import { run } from './run.ts';

interface GoProgram {
  /** File name of the program. */
  readonly name: string;
  /** Import path, or `.` for the module itself. */
  readonly path: string;
}

interface GoBuild {
  /** Folder of the module, beside this file. */
  readonly module: string;
  readonly programs: readonly GoProgram[];
  /** String variables that are set at link time. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Build tags. */
  readonly tags?: readonly string[];
}

/** Builds static programs into `directory`; Go's own cache lets a build that was interrupted go on. */
export async function buildGo(
  build: GoBuild,
  directory: string,
  say: (progress: string) => void,
): Promise<void> {
  requireGo();
  const stamps = Object.entries(build.variables ?? {}).map(([name, value]) => ` -X ${name}=${value}`);
  const flags = ['-trimpath', '-buildvcs=false', '-mod=readonly', `-ldflags=-s -w${stamps.join('')}`];
  if (build.tags !== undefined) flags.push(`-tags=${build.tags.join(',')}`);
  for (const [index, program] of build.programs.entries()) {
    say(`building ${program.name} (${index + 1} of ${build.programs.length})`);
    // Hours of other people's work may share the machine: the compiler stands back.
    const args = ['-n', '10', 'go', 'build', ...flags, '-o', join(directory, program.name), program.path];
    await run('nice', args, {
      cwd: join(import.meta.dirname, build.module),
      env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
    });
  }
}

function requireGo(): void {
  if (spawnSync('go', ['version']).status === 0) return;
  throw new PartError(
    'Go is not installed; install Go 1.26 or newer (https://go.dev/dl) and run "make tools" again.',
  );
}
