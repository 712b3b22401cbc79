/** Every part, in the order in which they are brought. A new one is a file that exports it and a line here. */
import { coredns } from './coredns/part.ts';
import { databaseClients, jdbcJar, pythonPath } from './database-clients/part.ts';
import { debian } from './debian.ts';
import { helm } from './helm/part.ts';
import { BASE_IMAGE, imageBase } from './image-base/part.ts';
import { kubernetes } from './kubernetes/part.ts';
import { measures } from './measures/part.ts';
import type { Part } from './part.ts';
import { PAUSE_IMAGE, pause } from './pause/part.ts';
import { runtimes } from './runtimes/part.ts';
import { vault } from './vault/part.ts';
import { KUBERNETES_AUTH, vaultKubernetes } from './vault-kubernetes/part.ts';

export {
  BASE_IMAGE,
  PAUSE_IMAGE,
  coredns,
  databaseClients,
  debian,
  helm,
  imageBase,
  jdbcJar,
  kubernetes,
  measures,
  pause,
  pythonPath,
  runtimes,
  vault,
  KUBERNETES_AUTH,
  vaultKubernetes,
};

export const PARTS: readonly Part[] = [
  debian,
  pause,
  imageBase,
  coredns,
  kubernetes,
  helm,
  vault,
  vaultKubernetes,
  runtimes,
  databaseClients,
  measures,
];

/** A sentence naming what is not there and the command that brings it; undefined when all of it is. */
export function missingSentence(parts: readonly Part[]): string | undefined {
  const absent = parts.filter((part) => !part.isPresent()).map((part) => part.name);
  if (absent.length === 0) return undefined;
  return `Not there yet: ${absent.join(', ')}. "make tools" brings ${absent.length === 1 ? 'it' : 'them'}.`;
}
