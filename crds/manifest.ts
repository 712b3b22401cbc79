/**
 * Manifests as people write them → objects, or one sentence for each mistake. Pure; throws for no input.
 *
 * Documents of other API groups (a Deployment beside its McpGateway) are ignored with a warning, as is JSON that
 * is no manifest at all. Whatever bears a kind of ours or the group gatehouse.dev must be right.
 */
import { posix } from 'node:path';
import type { Environment } from './built.ts';
import { classify } from './classify.ts';
import { readConfigMap, type ConfigMap } from './config-map.ts';
import { documentsOf, type ManifestFile } from './documents.ts';
import { readObject } from './envelope.ts';
import { pathText, sentenceOfFault, type Fault, type Path } from './issues.ts';
import { objectKey, type PolicyObject } from './objects.ts';

export type { ManifestFile } from './documents.ts';

export interface ManifestProblem {
  readonly file: string;
  /** Counted from 1. */
  readonly document: number;
  /** `spec.server.url`; empty where the document as a whole is meant. */
  readonly path: string;
  /** The whole sentence: file, document, path, what is wrong and what is allowed. */
  readonly message: string;
}

export interface ParsedManifests {
  /** The objects without a mistake, in the order of the files. */
  readonly objects: PolicyObject[];
  /** Those that stand beside them: policies may name one. */
  readonly configMaps: ConfigMap[];
  readonly problems: ManifestProblem[];
  readonly warnings: string[];
}

export interface ParseOptions {
  /** Where the manifests are read; default Standalone. */
  readonly environment?: Environment;
}

interface Origin {
  readonly file: string;
  readonly document: number;
}

type Finding =
  | { readonly origin: Origin; readonly object: PolicyObject }
  | { readonly origin: Origin; readonly fault: Fault }
  | { readonly origin: Origin; readonly foreign: string; readonly configMap?: ConfigMap | undefined }
  /** A file that holds no manifest: secrets of a devFile credential, settings of an editor. */
  | { readonly origin: Origin; readonly stray: true };

/** Parses every document of every file. The order of what comes back is the order of the input. */
export function parseManifests(files: readonly ManifestFile[], options: ParseOptions = {}): ParsedManifests {
  const environment = options.environment ?? 'Standalone';
  const findings = files.flatMap((file) => findingsOf(file, environment));
  const found = findings.filter((finding) => 'object' in finding);
  const faulty = findings.filter((finding) => 'fault' in finding);
  return {
    objects: found.map(({ object }) => object),
    configMaps: findings.flatMap((finding) => ('foreign' in finding ? (finding.configMap ?? []) : [])),
    problems: [...faulty.map(({ origin, fault }) => problemOf(origin, fault)), ...duplicates(found)],
    warnings: warningsOf(findings),
  };
}

function findingsOf(file: ManifestFile, environment: Environment): Finding[] {
  return documentsOf(file).flatMap((document): Finding[] => {
    const origin = { file: file.path, document: document.number };
    if ('problem' in document) return [{ origin, fault: { path: [], message: document.problem } }];
    if ('foreign' in document) return [{ origin, stray: true }];
    return findingsIn(document.value, origin, [], environment);
  });
}

function findingsIn(value: unknown, origin: Origin, prefix: Path, environment: Environment): Finding[] {
  const classified = classify(value);
  const at = ({ path, message }: Fault): Finding => ({
    origin,
    fault: { path: [...prefix, ...path], message },
  });
  switch (classified.is) {
    case 'list':
      if (prefix.length > 0) return [at({ path: ['kind'], message: 'must not be a List inside a List' })];
      return classified.items.flatMap((item, index) =>
        findingsIn(item, origin, ['items', index], environment),
      );
    case 'ours': {
      const read = readObject(classified.kind, value, environment);
      return 'object' in read ? [{ origin, object: read.object }] : read.faults.map(at);
    }
    case 'foreign':
      return [{ origin, foreign: classified.name, configMap: readConfigMap(value) }];
    case 'unmarked':
      if (origin.file.endsWith('.json') && prefix.length === 0) return [{ origin, stray: true }];
      return [at({ path: [], message: 'must be an object with apiVersion, kind, metadata and spec' })];
    case 'faulty':
      return [at(classified.fault)];
  }
}

function problemOf({ file, document }: Origin, fault: Fault): ManifestProblem {
  const message = `${file}, document ${document}: ${sentenceOfFault(fault)}`;
  return { file, document, path: pathText(fault.path), message };
}

function duplicates(
  found: readonly { readonly origin: Origin; readonly object: PolicyObject }[],
): ManifestProblem[] {
  const first = new Map<string, Origin>();
  return found.flatMap(({ origin, object }) => {
    const name = `${object.kind} ${objectKey(object)}`;
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, origin);
      return [];
    }
    const message = `names ${name}, which stands in ${earlier.file}, document ${earlier.document} already; remove one`;
    return [problemOf(origin, { path: ['metadata', 'name'], message })];
  });
}

function warningsOf(findings: readonly Finding[]): string[] {
  const secretFiles = new Set(
    findings.flatMap((finding) => ('object' in finding ? devFilesOf(finding.object) : [])),
  );
  const named = new Set(
    findings.flatMap((finding) => ('object' in finding ? configMapsOf(finding.object) : [])),
  );
  return findings.flatMap((finding) => {
    const { file, document } = finding.origin;
    if ('foreign' in finding) {
      const { configMap } = finding;
      if (configMap !== undefined && named.has(`${configMap.namespace}/${configMap.name}`)) return [];
      return [
        `${file}, document ${document}: ${finding.foreign} is not a kind of Gatehouse and was ignored.`,
      ];
    }
    if ('stray' in finding && !secretFiles.has(posix.normalize(file))) {
      return [
        `${file} has neither apiVersion nor kind and was ignored; no credential names it as its devFile.`,
      ];
    }
    return [];
  });
}

function configMapsOf(object: PolicyObject): string[] {
  if (object.kind !== 'MaskingPolicy') return [];
  const { namespace } = object.metadata;
  return object.spec.protobuf.map(({ descriptorConfigMap }) => `${namespace}/${descriptorConfigMap.name}`);
}

function devFilesOf(object: PolicyObject): string[] {
  if (object.kind !== 'McpGateway') return [];
  return object.spec.credentials.flatMap(({ source }) =>
    'devFile' in source ? [posix.normalize(source.devFile.path)] : [],
  );
}
