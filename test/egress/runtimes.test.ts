/** Unchanged clients behind egress, with nothing but the environment that Gatehouse gives them. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environmentFor } from '../../crds/egress-environment.ts';
import { missingSentence, runtimes } from '../../hack/tools/parts.ts';
import { describeUnless } from '../fixtures/describe-unless.ts';
import { EgressWorld, freshPlaceholder, programPath } from '../fixtures/egress-world.ts';

const run = promisify(execFile);
const API = 'api.example.test';
const GITHUB = 'api.github.com';
const PAGE = 'pages.example.test';
const REPOSITORY = 'git.example.test';
const clients = join(import.meta.dirname, 'clients');
const placeholder = freshPlaceholder();

describeUnless(missingSentence([runtimes]) ?? missingPrograms(), 'clients behind egress', () => {
  let world: EgressWorld;
  let env: Record<string, string>;
  beforeAll(async () => {
    world = await EgressWorld.create();
    await world.upstream([API, GITHUB, PAGE], {
      onRequest: answer,
      onStream: (stream, headers) => {
        stream.respond({ ':status': isAuthorized(headers.authorization) ? 200 : 403 });
        stream.end(isAuthorized(headers.authorization) ? 'authorized' : 'not authorized');
      },
    });
    await world.upstream([REPOSITORY], { onRequest: answerGit });
    await world.start({
      credentials: [
        {
          name: 'api',
          whenShared: 'Pod',
          hosts: [API, GITHUB, PAGE, REPOSITORY].map((host) => ({ host, port: 443 })),
          header: { name: 'Authorization', value: 'Bearer {{ token }}' },
          placeholder,
        },
      ],
    });
    env = {
      PATH: programPath,
      HOME: world.directory,
      ...environmentFor({
        proxyUrl: world.proxyUrl,
        trustDirectory: world.trust,
        noProxy: ['localhost', '127.0.0.1', '::1'],
        placeholders: { API_TOKEN: placeholder.value, GITHUB_PERSONAL_ACCESS_TOKEN: placeholder.value },
      }),
    };
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const secret = (): string => world.secretOf('api', 'pod');
  const url = `https://${API}/get`;

  function isAuthorized(authorization: string | undefined): boolean {
    if (authorization?.startsWith('Basic ') === true)
      return Buffer.from(authorization.slice(6), 'base64').toString() === `x-access-token:${secret()}`;
    return authorization === `Bearer ${secret()}`;
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.host === PAGE) response.end('<html><body><p>A page.</p></body></html>');
    else if (request.headers.host === GITHUB) {
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          total_count: isAuthorized(request.headers.authorization) ? 7 : 0,
          incomplete_results: false,
          items: [],
        }),
      );
    } else {
      response.statusCode = isAuthorized(request.headers.authorization) ? 200 : 403;
      response.end(response.statusCode === 200 ? 'authorized' : 'not authorized');
    }
  }

  /** The smallest repository that `git ls-remote` lists (gitprotocol-http). */
  function answerGit({ headers }: IncomingMessage, response: ServerResponse): void {
    if (!isAuthorized(headers.authorization)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text;
    response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
    response.end(
      `${line('# service=git-upload-pack\n')}0000${line(`${'a'.repeat(40)} refs/heads/main\0agent=test\n`)}0000`,
    );
  }

  async function says(program: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(program, args, { env, timeout: 60_000 });
    return stdout;
  }

  test('curl, over HTTP/1.1 and HTTP/2', async () => {
    const ask = ['-sS', '-H', `authorization: Bearer ${placeholder.value}`, '-w', ' %{http_version}', url];
    expect(await says('curl', '--http1.1', ...ask)).toBe('authorized 1.1');
    expect(await says('curl', '--http2', ...ask)).toBe('authorized 2');
  });

  test('git, which sends the placeholder in Basic credentials', async () => {
    const listed = await says(
      'git',
      'ls-remote',
      `https://x-access-token:${placeholder.value}@${REPOSITORY}/repo.git`,
    );
    expect(listed).toBe(`${'a'.repeat(40)}\trefs/heads/main\n`);
  });

  test('Node 24 and 22: fetch and the default agent', async () => {
    for (const node of [process.execPath, runtimes.file('node_modules/node22/bin/node')])
      expect(await says(node, join(clients, 'get.mjs'), url)).toBe('200 authorized 200 authorized');
  });

  test('Node 20 heeds no proxy: it needs the network to redirect it', async () => {
    const node = runtimes.file('node_modules/node20/bin/node');
    await expect(says(node, join(clients, 'get.mjs'), url)).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
  });

  test('Python: urllib, requests, httpx with HTTP/1.1 and HTTP/2, aiohttp', async () => {
    const answers: string[] = [];
    for (const client of ['urllib', 'requests', 'httpx', 'httpx2', 'aiohttp'])
      answers.push(await says(runtimes.file('python/bin/python'), join(clients, 'get.py'), client, url));
    const plain = '200 authorized';
    expect(answers).toEqual([plain, plain, `HTTP/1.1 ${plain}`, `HTTP/2 ${plain}`, plain]);
  });

  test('Go: net/http', { timeout: 400_000 }, async () => {
    const program = join(world.directory, 'get');
    // Outside of egress, and with the machine's own cache: the standard library takes a minute to build.
    await run('go', ['build', '-o', program, join(clients, 'get.go')], { timeout: 300_000 });
    expect(await says(program, url)).toBe('HTTP/2.0 200 authorized');
  });

  test('Java: HttpURLConnection and HttpClient', async () => {
    const said = await says('java', join(clients, 'Get.java'), url);
    expect(said).toBe('200 authorized HTTP_2 200 authorized');
  });

  test("GitHub's MCP server as it is published, with a placeholder for its token", async () => {
    const script = runtimes.file('node_modules/@modelcontextprotocol/server-github/dist/index.js');
    const text = await callTool(
      { command: process.execPath, args: [script] },
      { name: 'search_repositories', arguments: { query: 'gatehouse' } },
    );
    // The count that only an authorized caller gets.
    expect(text).toContain('7');
    expect(text).not.toContain(secret());
  });

  test('mcp-server-fetch as it is published', async () => {
    const text = await callTool(
      {
        command: runtimes.file('python/bin/python'),
        args: ['-m', 'mcp_server_fetch', '--ignore-robots-txt'],
      },
      { name: 'fetch', arguments: { url: `https://${PAGE}/`, raw: true } },
    );
    expect(text).toContain('A page.');
  });

  async function callTool(
    server: { command: string; args: string[] },
    call: { name: string; arguments: Record<string, unknown> },
  ): Promise<string> {
    await mkdir(join(world.directory, '.cache'), { recursive: true });
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(new StdioClientTransport({ ...server, env, stderr: 'ignore' }));
    try {
      return JSON.stringify((await client.callTool(call)).content);
    } finally {
      await client.close();
    }
  }
});

function missingPrograms(): string | undefined {
  const missing = ['curl', 'git', 'go', 'java'].filter(
    (program) => spawnSync(program, ['--help']).error !== undefined,
  );
  return missing.length === 0 ? undefined : `needs the programs ${missing.join(', ')}`;
}
