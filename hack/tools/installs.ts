/** Packages of Python and of npm, installed into a directory of a part. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

const PIP = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];

/** `directory/python/bin/python` has them. `requirements`: a file that pins them. */
export async function installPython(directory: string, requirements: string): Promise<void> {
  await run('python3', ['-m', 'venv', join(directory, 'python')]);
  await run(join(directory, 'python/bin/python'), [...PIP, '-r', requirements]);
}

/** `directory/node_modules` has them. */
export async function installNpm(
  directory: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<void> {
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: directory });
}
