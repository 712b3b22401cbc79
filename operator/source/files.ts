/** A directory of manifests, read once. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, posix, resolve } from 'node:path';
import { z } from 'zod';
import type { ManifestFile, ManifestProblem } from '#crds';

/** Bounds that no directory of manifests reaches, so that a wrong DIR is named instead of read whole. */
const MAX_FILES = 1000;
const MAX_DIRECTORIES = 200;
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MANIFEST = /\.(?:ya?ml|json)$/;

export interface DirectoryContent {
  /** Ordered by path; paths are relative to the directory, with "/". */
  readonly files: readonly ManifestFile[];
  /** Directories that were read, absolute, the root first. */
  readonly directories: readonly string[];
  /** What could not be read. */
  readonly problems: readonly ManifestProblem[];
}

interface Listing {
  /** Directories to pass over, absolute. */
  readonly except: readonly string[];
  readonly paths: string[];
  readonly directories: string[];
  readonly problems: ManifestProblem[];
}

/**
 * Reads every *.yaml, *.yml and *.json below `directory`. Names that begin with a dot (state, editors' files) and
 * node_modules are passed over, links to files are followed, links to directories are not. What vanishes while
 * it is read was deleted; every other failure is a problem. `except` are absolute directories to pass over, as the
 * state of an installation that lies among its manifests. Never throws.
 */
export async function readManifestFiles(
  directory: string,
  except: readonly string[] = [],
): Promise<DirectoryContent> {
  const listing: Listing = { except, paths: [], directories: [], problems: [] };
  await list(directory, '', listing);
  if (isFull(listing)) {
    const message = `holds more than ${MAX_FILES} manifests or ${MAX_DIRECTORIES} directories; give a directory of manifests alone`;
    return { files: [], directories: [directory], problems: [problem('.', message)] };
  }
  const files: ManifestFile[] = [];
  for (const path of listing.paths.sort()) {
    const read = await readOne(directory, path);
    if (read !== undefined && 'text' in read) files.push(read);
    if (read !== undefined && 'message' in read) listing.problems.push(read);
  }
  return { files, directories: listing.directories, problems: listing.problems };
}

async function list(root: string, below: string, listing: Listing): Promise<void> {
  const entries = await entriesOf(root, below, listing);
  for (const entry of entries) {
    if (isFull(listing)) return;
    const path = posix.join(below, entry.name);
    if (listing.except.includes(resolve(root, path))) continue;
    if (entry.isDirectory()) await list(root, path, listing);
    else if (MANIFEST.test(entry.name)) listing.paths.push(path);
  }
}

async function entriesOf(root: string, below: string, listing: Listing): Promise<Dirent[]> {
  try {
    const entries = await readdir(join(root, below), { withFileTypes: true });
    listing.directories.push(join(root, below));
    return entries.filter(({ name }) => !name.startsWith('.') && name !== 'node_modules');
  } catch (error) {
    // The root must be there; a directory below it that vanished was deleted.
    if (below === '' || !isGone(error)) listing.problems.push(unreadable(below === '' ? '.' : below, error));
    return [];
  }
}

function isFull({ paths, directories }: Listing): boolean {
  return paths.length > MAX_FILES || directories.length > MAX_DIRECTORIES;
}

async function readOne(root: string, path: string): Promise<ManifestFile | ManifestProblem | undefined> {
  const file = join(root, path);
  try {
    const facts = await stat(file);
    // A link to a directory, a pipe (which would hang), a socket.
    if (!facts.isFile()) return undefined;
    if (facts.size > MAX_FILE_BYTES) return problem(path, `is larger than ${MAX_FILE_BYTES} bytes; split it`);
    return { path, text: decode(await readFile(file)) };
  } catch (error) {
    if (isGone(error)) return undefined;
    return error instanceof TypeError ? problem(path, 'is not UTF-8 text') : unreadable(path, error);
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

const systemError = z.object({ code: z.string() });

function codeOf(error: unknown): string {
  const parsed = systemError.safeParse(error);
  return parsed.success ? parsed.data.code : 'unknown error';
}

function isGone(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function unreadable(file: string, error: unknown): ManifestProblem {
  return problem(file, `cannot be read (${codeOf(error)}); check that it is there and may be read`);
}

function problem(file: string, message: string): ManifestProblem {
  return { file, document: 1, path: '', message: `${file} ${message}.` };
}
