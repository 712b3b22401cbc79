/** Finds fields in a manifest that the place it is read in does not have. */
import { z } from 'zod';
import type { Environment, Limited } from './built.ts';
import { limited } from './built.ts';

export interface Unavailable {
  readonly path: readonly (string | number)[];
  /** Completes the sentence "<path> …". */
  readonly message: string;
}

const object = z.record(z.string(), z.unknown());

/** Every use in `manifest` of what is not available, in the order of the table. */
export function findUnavailable(kind: string, manifest: unknown, environment: Environment): Unavailable[] {
  return (limited[kind] ?? [])
    .filter((row) => !row.in.includes(environment))
    .flatMap((row) =>
      uses(manifest, row.path.split('.'), row.values).map((path) => ({ path, message: sentence(row) })),
    );
}

function sentence(row: Limited): string {
  if (row.in.includes('Standalone')) return `is for standalone alone; ${row.instead}`;
  if (row.in.includes('Cluster')) return `needs a cluster; ${row.instead}`;
  return `is not built yet; ${row.instead}`;
}

function uses(value: unknown, steps: readonly string[], values?: readonly string[]): (string | number)[][] {
  const [step, ...rest] = steps;
  if (step === undefined) return isUsed(value, values) ? [[]] : [];
  const name = step.replace('[]', '');
  const members = object.safeParse(value);
  if (!members.success || !Object.hasOwn(members.data, name)) return [];
  const member = members.data[name];
  if (name === step) return uses(member, rest, values).map((path) => [name, ...path]);
  if (!Array.isArray(member)) return [];
  return member.flatMap((item, index) => uses(item, rest, values).map((path) => [name, index, ...path]));
}

/** An empty list asks for nothing, so it is no use of the feature. */
function isUsed(value: unknown, values?: readonly string[]): boolean {
  if (values !== undefined) return typeof value === 'string' && values.includes(value);
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}
