/** Results that hold nothing secret: what real packages say of themselves, their data and their sources. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { allPresets } from './generated.ts';
import { isFalse, masksBetween } from './masks.ts';

export interface Benign {
  readonly megabytes: number;
  readonly results: number;
  /** Results that were withheld whole. */
  readonly withheld: number;
  /** False masks by detector: what is an address is not among them. */
  readonly masks: ReadonlyMap<string, number>;
  readonly falsePerMegabyte: number;
}

const PACKAGES = resolve(import.meta.dirname, '../../node_modules');
const TEXT = /\.(?:md|markdown|json|js|cjs|mjs|ts|txt|ya?ml|css|html|proto|map)$/i;
/** Its documentation is full of what it generates. */
const NOT_BENIGN = new Set(['@faker-js']);
const MAX_DEPTH = 9;
const MAX_FILE = 1_000_000;

/** Files of node_modules, spread evenly, until there are so many megabytes. */
export function* packageFiles(megabytes: number): Generator<string> {
  const files = [...filesBelow(PACKAGES, 0)].sort();
  const step = Math.max(1, Math.floor(files.length / 8000));
  let size = 0;
  for (let at = 0; at < files.length && size < megabytes * 1e6; at += step) {
    const text = readFileSync(files[at] ?? '', 'utf8');
    size += text.length;
    yield text;
  }
}

function* filesBelow(directory: string, depth: number): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (NOT_BENIGN.has(entry.name)) continue;
    if (entry.isDirectory() && depth < MAX_DEPTH) yield* filesBelow(path, depth + 1);
    else if (entry.isFile() && TEXT.test(entry.name) && statSync(path).size < MAX_FILE) yield path;
  }
}

/** Masks texts as tools would return them. `results` are results of servers, as JSON. */
export function maskBenign(texts: Iterable<string>, results: readonly object[]): Benign {
  const masker = allPresets();
  const masks = new Map<string, number>();
  let characters = 0;
  let count = 0;
  let withheld = 0;
  const look = (result: object): void => {
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result });
    characters += message.length;
    count += 1;
    const outcome = masker.message(message, { purpose: 'release' });
    if (outcome.kind === 'withheld') withheld += 1;
    else
      for (const { detector } of masksBetween(message, outcome.text).filter(isFalse))
        masks.set(detector, (masks.get(detector) ?? 0) + 1);
  };
  for (const text of texts) look({ content: [{ type: 'text', text }] });
  for (const result of results) look(result);
  const megabytes = characters / 1e6;
  const wrong = [...masks.values()].reduce((sum, times) => sum + times, 0);
  return { megabytes, results: count, withheld, masks, falsePerMegabyte: (wrong + withheld) / megabytes };
}
