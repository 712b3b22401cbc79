/** A file of manifests as documents: YAML with any number of them, or JSON with one. Never throws. */
import { LineCounter, parseAllDocuments, type Document, type YAMLError } from 'yaml';
import { parseJson } from '../lib/json/index.ts';
import { sentenceOf } from '../lib/errors.ts';
import { GROUP } from './objects.ts';

export interface ManifestFile {
  /** As it is to be named in sentences. */
  readonly path: string;
  readonly text: string;
}

/** One document, counted from 1: its value, or a sentence's end that says why it cannot be read. */
export type ManifestDocument = { readonly number: number } & (
  | { readonly value: unknown }
  | { readonly problem: string }
  /** A JSON file that cannot be read and says nothing of Gatehouse, as a file of secrets in the making. */
  | { readonly foreign: true }
);

/** Largest file of manifests, in characters. etcd takes objects of 1.5 MiB, so no real one is larger. */
export const MAX_FILE_LENGTH = 2_000_000;
const MAX_ALIASES = 100;
const LONE_SURROGATE = 'holds an escape that is half a character (a lone surrogate)';

/** Empty documents are counted and left out. */
export function documentsOf(file: ManifestFile): ManifestDocument[] {
  if (file.text.length > MAX_FILE_LENGTH) {
    return [{ number: 1, problem: `is longer than ${MAX_FILE_LENGTH} characters; split the file` }];
  }
  return file.path.endsWith('.json') ? [jsonDocument(file.text)] : yamlDocuments(file.text);
}

function jsonDocument(text: string): ManifestDocument {
  try {
    const value = parseJson(text);
    return isWellFormed(value) ? { number: 1, value } : { number: 1, problem: LONE_SURROGATE };
  } catch (error) {
    if (!text.includes(GROUP)) return { number: 1, foreign: true };
    return { number: 1, problem: `is not JSON: ${sentenceOf(error)}` };
  }
}

function yamlDocuments(text: string): ManifestDocument[] {
  const lines = new LineCounter();
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      merge: true,
      logLevel: 'error',
    });
    return Array.from(parsed, (document, index) => yamlDocument(document, index + 1, lines)).filter(
      (document) => !('value' in document) || document.value !== null,
    );
  } catch {
    // The parser is recursive: only nesting that no manifest has gets here.
    return [{ number: 1, problem: 'is not YAML: it is nested too deeply' }];
  }
}

function yamlDocument(document: Document, number: number, lines: LineCounter): ManifestDocument {
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) return { number, problem: yamlProblem(fault, lines) };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return isWellFormed(value) ? { number, value } : { number, problem: LONE_SURROGATE };
  } catch (error) {
    // An alias without its anchor, or too many of them; else a value that contains itself.
    const why = error instanceof ReferenceError ? error.message : 'it is nested too deeply';
    return { number, problem: `is not YAML: ${why}` };
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && isWellFormed(member));
}

function yamlProblem(fault: YAMLError, lines: LineCounter): string {
  const { line, col } = lines.linePos(fault.pos[0]);
  const what = fault.code === 'DUPLICATE_KEY' ? 'a key that stands there already' : fault.message;
  return `is not YAML: line ${line}, column ${col}: ${what}`;
}
