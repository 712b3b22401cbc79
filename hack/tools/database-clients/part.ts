/** Clients of PostgreSQL in other languages, which the egress is tried with: psycopg for Python and the JDBC driver. */
import { join } from 'node:path';
import { cacheDirectory } from '../config.ts';
import { cachedPart } from '../part.ts';
import { run } from '../run.ts';

const PSYCOPG = '3.2.13';
const JDBC = '42.7.7';
const JAR = `postgresql-${JDBC}.jar`;

export const databaseClients = cachedPart(cacheDirectory, {
  name: 'database-clients',
  version: `${PSYCOPG}-${JDBC}`,
  about: `psycopg ${PSYCOPG} and the JDBC driver ${JDBC}`,
  minutes: 1,
  files: ['python/psycopg/__init__.py', JAR],
  build: async (directory, say) => {
    say('installing psycopg');
    // Into a folder and not a virtual environment, which could not be moved to its place when it is whole.
    const target = join(directory, 'python');
    await run('python3', [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--target',
      target,
      `psycopg[binary]==${PSYCOPG}`,
    ]);
    say('fetching the JDBC driver');
    await run(
      'mvn',
      [
        ...['--quiet', '--batch-mode', 'dependency:copy'],
        `-Dartifact=org.postgresql:postgresql:${JDBC}`,
        `-DoutputDirectory=${directory}`,
      ],
      { cwd: directory },
    );
  },
});

export const jdbcJar = (): string => databaseClients.file(JAR);
export const pythonPath = (): string => databaseClients.file('python');
