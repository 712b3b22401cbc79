/** What MCP servers that others published answer, unchanged: files, logs, history, a database, times, a graph, thoughts. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { measures, missingSentence } from '../../hack/tools/parts.ts';
import { startPostgres, whyNoPostgres } from '../fixtures/postgres.ts';
import { scratch } from '../fixtures/record-store.ts';
import { publishedScript } from '../fixtures/servers.ts';

type Arguments = Readonly<Record<string, unknown>>;
type Call = (name: string, args: Arguments) => Promise<void>;

const CHECKOUT = resolve(import.meta.dirname, '../..');
const LOGS = '/var/log';
const TEXT = /\.(?:py|md|txt|log|json|toml|cfg|rst|html|pyi|js|ts|css)$|METADATA$/;
const PACKAGES = ['git', 'gitdb', 'anyio', 'jsonschema', 'click'];
const AUTHOR = {
  PATH: '/usr/bin:/bin',
  HOME: '/nonexistent',
  ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.test' },
  ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.test' },
};
const MAX_FILE = 1_000_000;

/** Undefined where they can be asked, else a sentence that says what to do. */
export function whyNoServers(): string | undefined {
  return missingSentence([measures]) ?? whyNoPostgres();
}

/** Results by server. `megabytes`: about how much the one for files is to read. */
export async function resultsOfServers(megabytes: number): Promise<Map<string, object[]>> {
  const python = measures.file('python');
  const node = (name: string): string[] => [
    process.execPath,
    measures.file(`node_modules/@modelcontextprotocol/${name}/dist/index.js`),
  ];
  const module = (name: string): string[] => [join(python, 'bin/python'), '-m', name];
  return new Map([
    [
      'filesystem',
      await ask([...node('server-filesystem'), CHECKOUT, LOGS, python], readFiles(python, megabytes)),
    ],
    ['git', await askGit(module('mcp_server_git'), python)],
    ['time', await ask(module('mcp_server_time'), tellTimes)],
    ['memory', await askMemory(node('server-memory'))],
    ['sequential-thinking', await ask(node('server-sequential-thinking'), think)],
    ['postgres', await askPostgres()],
  ]);
}

/** The list of a server's tools, and what it answers to these calls. */
function ask(
  command: readonly string[],
  work: (call: Call) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<object[]> {
  return withServer(
    command,
    async (client) => {
      const results: object[] = [await client.listTools()];
      await work(async (name, args) => void results.push(await client.callTool({ name, arguments: args })));
      return results;
    },
    env,
  );
}

/** Runs `work` with a server over stdio that lives as long. */
export async function withServer<T>(
  [command = '', ...args]: readonly string[],
  work: (client: Client) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const client = new Client({ name: 'measures', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ command, args, env, stderr: 'ignore' }));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function readFiles(python: string, megabytes: number): (call: Call) => Promise<void> {
  return async (call) => {
    await call('list_allowed_directories', {});
    await call('directory_tree', { path: join(CHECKOUT, 'docs') });
    await call('list_directory_with_sizes', { path: join(CHECKOUT, 'proxy/engine/mask') });
    await call('search_files', { path: CHECKOUT, pattern: '**/*.md', excludePatterns: ['node_modules'] });
    let size = 0;
    const spread = [...filesBelow(LOGS), ...everyNth([...filesBelow(python)], 4)];
    for (const path of spread) {
      if (size > megabytes * 1e6) return;
      size += statSync(path).size;
      await call('read_text_file', { path });
    }
  };
}

function everyNth<T>(all: readonly T[], step: number): T[] {
  return all.filter((_, index) => index % step === 0);
}

function* filesBelow(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
    a.name.localeCompare(b.name),
  )) {
    const path = join(directory, entry.name);
    // Their own pages are full of what they generate and check.
    if (entry.isDirectory() && !/^(?:faker|stdnum|private)$/i.test(entry.name)) yield* filesBelow(path);
    else if (entry.isFile() && TEXT.test(entry.name) && statSync(path).size < MAX_FILE) yield path;
  }
}

/** Of a repository with a commit for each of some packages: the history of this one is full of planted values. */
async function askGit(command: readonly string[], python: string): Promise<object[]> {
  await using directory = await scratch();
  const { path } = directory;
  const git = (...args: string[]): Buffer => execFileSync('git', ['-C', path, ...args], { env: AUTHOR });
  git('init', '--quiet');
  for (const name of PACKAGES) {
    const [found = ''] = globSync(`lib/*/site-packages/${name}`, { cwd: python });
    cpSync(join(python, found), join(path, name), { recursive: true });
    git('add', '--all');
    git('commit', '--quiet', '--message', `Add ${name}\n\nAs it is published.`);
  }
  return await ask([...command, '--repository', path], async (call) => {
    const of = { repo_path: path };
    await call('git_log', { ...of, max_count: 100 });
    await call('git_status', of);
    for (const back of PACKAGES.keys()) await call('git_show', { ...of, revision: `HEAD~${back}` });
  });
}

async function tellTimes(call: Call): Promise<void> {
  for (const timezone of ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/St_Johns'])
    await call('get_current_time', { timezone });
  await call('convert_time', { source_timezone: 'UTC', time: '16:30', target_timezone: 'Asia/Tokyo' });
}

/** It keeps its graph in a file, which it replaces. */
async function askMemory(command: readonly string[]): Promise<object[]> {
  await using directory = await scratch();
  return await ask(command, remember, { MEMORY_FILE_PATH: join(directory.path, 'graph.jsonl') });
}

async function remember(call: Call): Promise<void> {
  const names = readdirSync(join(CHECKOUT, 'node_modules')).filter((name) => !name.startsWith('.'));
  const entities = names.map((name) => ({
    name,
    entityType: 'package',
    observations: [`${name} is a dependency`],
  }));
  await call('create_entities', { entities });
  await call('read_graph', {});
  await call('search_nodes', { query: 'dependency' });
}

async function think(call: Call): Promise<void> {
  for (let thoughtNumber = 1; thoughtNumber <= 5; thoughtNumber += 1)
    await call('sequentialthinking', {
      thought: `Step ${thoughtNumber}: look at what the masker leaves of this.`,
      thoughtNumber,
      totalThoughts: 5,
      nextThoughtNeeded: thoughtNumber < 5,
    });
}

/** The catalog of a database is data that nobody made for a test. */
const CATALOG = [
  'SELECT oid, proname, proargtypes::text, prosrc, obj_description(oid) AS about FROM pg_proc',
  'SELECT name, setting, unit, category, short_desc, extra_desc, min_val, max_val FROM pg_settings',
  'SELECT oid, oprname, oprleft, oprright, oprresult FROM pg_operator',
  'SELECT * FROM information_schema.columns',
  'SELECT oid, typname, typlen, typinput::text, typoutput::text FROM pg_type',
  'SELECT name, abbrev, utc_offset::text FROM pg_timezone_names',
  'SELECT pid, state, query, backend_start FROM pg_stat_activity',
];

async function askPostgres(): Promise<object[]> {
  await using postgres = await startPostgres();
  const { user, password } = postgres.superuser;
  const url = `postgres://${user}:${password}@${postgres.host}:${postgres.port}/postgres?sslmode=no-verify`;
  return await ask([process.execPath, publishedScript('server-postgres'), url], async (call) => {
    for (const sql of CATALOG) await call('query', { sql });
  });
}
