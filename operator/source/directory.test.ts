import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DirectorySource, realSurroundings, type DirectoryState } from './directory.ts';
import { readManifestFiles, type DirectoryContent } from './files.ts';
import { loadDirectory } from './load.ts';

let root: string;
let open: DirectorySource[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gatehouse-source-'));
});

afterEach(async () => {
  for (const source of open) source.close();
  open = [];
  await rm(root, { recursive: true, force: true });
});

function gateway(name: string, url = 'http://127.0.0.1:9000/mcp'): string {
  return [
    'apiVersion: gatehouse.dev/v1alpha1',
    'kind: McpGateway',
    `metadata: { name: ${name} }`,
    'spec:',
    `  server: { url: "${url}" }`,
    '  identity: [{ name: anyone, anonymous: {} }]',
    '  access: []',
  ].join('\n');
}

/** Puts a file in its place at once, so that no look finds it half written. */
async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, '.put.tmp'), text);
  await rename(join(root, '.put.tmp'), join(root, path));
}

function names(state: DirectoryState): string[] | undefined {
  return state.snapshot?.gateways.map(({ metadata }) => metadata.name);
}

/** States as they come; `until` waits for the first that fits and hands over those before it too. */
class Heard {
  readonly states: DirectoryState[] = [];
  #wake: () => void = () => undefined;

  readonly hear = (state: DirectoryState): void => {
    this.states.push(state);
    this.#wake();
  };

  async until(fits: (state: DirectoryState) => boolean): Promise<DirectoryState> {
    for (;;) {
      const found = this.states.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

async function watched(pollMs = 60_000): Promise<{ heard: Heard; first: DirectoryState }> {
  const heard = new Heard();
  const source = new DirectorySource(root, heard.hear, { times: { settleMs: 20, pollMs } });
  open.push(source);
  return { heard, first: await source.start() };
}

test('every manifest is read, in the order of its path, and nothing else', async () => {
  await put('b.yaml', gateway('b'));
  await put('a/deep/er.yml', gateway('a'));
  await put('c.json', '{"apiVersion":"apps/v1","kind":"Deployment"}');
  await put('readme.md', 'kind: McpGateway');
  await put('.gatehouse/state.yaml', 'kind: McpGateway');
  await put('.a.yaml.swp', 'x');
  await put('a.yaml~', 'kind: McpGateway');
  await put('node_modules/x/x.yaml', 'kind: McpGateway');
  const { files, directories, problems } = await readManifestFiles(root);
  expect(files.map(({ path }) => path)).toEqual(['a/deep/er.yml', 'b.yaml', 'c.json']);
  expect(directories).toEqual([root, join(root, 'a'), join(root, 'a/deep')]);
  expect(problems).toEqual([]);
});

test('a directory that is said to hold state is passed over', async () => {
  await put('a.yaml', gateway('a'));
  await put('state/request.json', '{"apiVersion":"gatehouse.dev/v1alpha1","kind":"ApprovalRequest"}');
  const { files, directories } = await readManifestFiles(root, [join(root, 'state')]);
  expect(files.map(({ path }) => path)).toEqual(['a.yaml']);
  expect(directories).toEqual([root]);
});

test('links to files are followed, as a mounted ConfigMap has them; links in a circle are not', async () => {
  await put('..data/it.yaml', gateway('it'));
  await symlink(join('..data', 'it.yaml'), join(root, 'it.yaml'));
  await symlink('.', join(root, 'again.yaml'));
  await symlink('nowhere.yaml', join(root, 'broken.yaml'));
  const { files, problems } = await readManifestFiles(root);
  expect({ files: files.map(({ path }) => path), problems }).toEqual({ files: ['it.yaml'], problems: [] });
});

test.each([
  [
    'a directory that is not there',
    () => rm(root, { recursive: true }),
    '. cannot be read (ENOENT); check that it is there and may be read.',
  ],
  [
    'a file that is not text',
    () => writeFile(join(root, 'a.yaml'), Buffer.from([0x61, 0xff, 0x62])),
    'a.yaml is not UTF-8 text.',
  ],
  [
    'a file that is too large',
    () => put('a.yaml', '#'.repeat(5_000_000)),
    'a.yaml is larger than 4194304 bytes; split it.',
  ],
])('%s is a problem in one sentence', async (_name, arrange, sentence) => {
  await arrange();
  const { snapshot, problems } = await loadDirectory(root, 'Standalone');
  expect({ snapshot, problems: problems.map(({ message }) => message) }).toEqual({
    snapshot: undefined,
    problems: [sentence],
  });
});

test('a directory that cannot be one of manifests is named, not read whole', async () => {
  for (let index = 0; index < 202; index += 1) await mkdir(join(root, String(index)));
  const { problems } = await loadDirectory(root, 'Standalone');
  expect(problems.map(({ message }) => message)).toEqual([
    '. holds more than 1000 manifests or 200 directories; give a directory of manifests alone.',
  ]);
});

test('a new file, a file replaced and a file deleted are each told once', async () => {
  await put('a.yaml', gateway('a'));
  const { heard, first } = await watched();
  expect(names(first)).toEqual(['a']);
  await put('a.yaml', gateway('edited'));
  await heard.until((state) => names(state)?.join() === 'edited');
  await put('b.yaml', gateway('b'));
  await heard.until((state) => names(state)?.join() === 'b,edited');
  await unlink(join(root, 'a.yaml'));
  await heard.until((state) => names(state)?.join() === 'b');
  expect(heard.states).toHaveLength(3);
});

test('a file that is written in place is told', async () => {
  await put('a.yaml', gateway('a'));
  const { heard } = await watched();
  await writeFile(join(root, 'a.yaml'), gateway('b'));
  await heard.until((state) => names(state)?.join() === 'b');
});

test('directories that come later are watched too, and may go again', async () => {
  const { heard, first } = await watched();
  expect(names(first)).toEqual([]);
  await put('team/a.yaml', gateway('a'));
  await heard.until((state) => names(state)?.join() === 'a');
  await put('team/a.yaml', gateway('b'));
  await heard.until((state) => names(state)?.join() === 'b');
  await rm(join(root, 'team'), { recursive: true });
  await heard.until((state) => names(state)?.length === 0);
});

test('an edit with a mistake is told, and what was in force stays so', async () => {
  await put('a.yaml', gateway('a'));
  const { heard, first } = await watched();
  await put('a.yaml', gateway('a', 'ftp://x'));
  const refused = await heard.until(({ problems }) => problems.length > 0);
  expect(refused.snapshot).toBeUndefined();
  expect(refused.inForce).toBe(first.snapshot);
  expect(refused.problems.map(({ message }) => message)).toEqual([
    'a.yaml, document 1: spec.server.url must be an http:// or https:// URL without a fragment.',
  ]);
  await put('a.yaml', gateway('mended'));
  const mended = await heard.until((state) => names(state)?.join() === 'mended');
  expect(mended.inForce).toBe(mended.snapshot);
});

test('a directory that begins with a mistake has nothing in force until it is mended', async () => {
  await put('a.yaml', 'kind: McpGateway');
  const { heard, first } = await watched();
  expect(first).toMatchObject({ problems: [{ file: 'a.yaml' }] });
  expect(first.inForce).toBeUndefined();
  await put('a.yaml', gateway('a'));
  await heard.until((state) => state.inForce !== undefined);
});

test('what is written below a dot-directory, and a write that changes nothing, is not told', async () => {
  await put('a.yaml', gateway('a'));
  await put('.gatehouse/log', '1');
  const { heard } = await watched();
  await put('.gatehouse/log', '2');
  await put('a.yaml', gateway('a'));
  await put('z.yaml', gateway('z'));
  await heard.until((state) => names(state)?.join() === 'a,z');
  expect(heard.states).toHaveLength(1);
});

test('without a single event the poll finds the edit', async () => {
  await put('a.yaml', gateway('a'));
  const heard = new Heard();
  const deaf = { ...realSurroundings, watch: () => ({ close: () => undefined }) };
  const source = new DirectorySource(root, heard.hear, { times: { settleMs: 10, pollMs: 20 }, around: deaf });
  open.push(source);
  await source.start();
  await put('a.yaml', gateway('b'));
  await heard.until((state) => names(state)?.join() === 'b');
});

/** A world whose files, events and time are in the hands of the test. */
class Puppet {
  text = gateway('a');
  changed: (name: string | null) => void = () => undefined;
  #due: (() => void)[] = [];

  readonly around = {
    read: (): Promise<DirectoryContent> =>
      Promise.resolve({ files: [{ path: 'a.yaml', text: this.text }], directories: ['/d'], problems: [] }),
    watch: (_directory: string, changed: (name: string | null) => void) => {
      this.changed = changed;
      return { close: () => (this.changed = () => undefined) };
    },
    after: (_ms: number, run: () => void) => {
      this.#due.push(run);
      return () => {
        this.#due = this.#due.filter((waiting) => waiting !== run);
      };
    },
  };

  /** Lets the next timer ring and what it begins end. */
  async ring(): Promise<void> {
    this.#due.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a half-written file is not believed: only what two looks in a row agree on is told', async () => {
  const puppet = new Puppet();
  const told: (string[] | undefined)[] = [];
  const source = new DirectorySource('/d', (state) => told.push(names(state)), { around: puppet.around });
  await source.start();
  await puppet.ring();
  puppet.text = '';
  puppet.changed('a.yaml');
  await puppet.ring();
  puppet.text = gateway('b');
  await puppet.ring();
  expect(told).toEqual([]);
  await puppet.ring();
  expect(told).toEqual([['b']]);
  source.close();
});

test('after close nothing is told, whatever was under way', async () => {
  const puppet = new Puppet();
  const told: DirectoryState[] = [];
  const source = new DirectorySource('/d', (state) => told.push(state), { around: puppet.around });
  await source.start();
  puppet.text = gateway('b');
  puppet.changed('a.yaml');
  const ringing = puppet.ring();
  source.close();
  await ringing;
  await puppet.ring();
  expect(told).toEqual([]);
});
