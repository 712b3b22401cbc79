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
      uses(manifest, row.path.split('.'), row.values).map(({ path, value }) => ({
        path,
        message: sentence(row, value),
      })),
    );
}

function sentence(row: Limited, value: unknown): string {
  const what = row.values === undefined ? '' : `${JSON.stringify(value)} `;
  if (row.in.includes('Standalone')) return `${what}is for standalone alone; ${row.instead}`;
  if (row.in.includes('Cluster')) return `${what}needs a cluster; ${row.instead}`;
  return `${what}is not built yet; ${row.instead}`;
}

interface Use {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

function uses(value: unknown, steps: readonly string[], values?: readonly string[]): Use[] {
  const [step, ...rest] = steps;
  if (step === undefined) return isUsed(value, values) ? [{ path: [], value }] : [];
  const name = step.replace('[]', '');
  const members = object.safeParse(value);
  if (!members.success || !Object.hasOwn(members.data, name)) return [];
  const member = members.data[name];
  if (name === step) return below([name], uses(member, rest, values));
  if (!Array.isArray(member)) return [];
  return member.flatMap((item, index) => below([name, index], uses(item, rest, values)));
}

function below(prefix: Use['path'], found: readonly Use[]): Use[] {
  return found.map(({ path, value }) => ({ path: [...prefix, ...path], value }));
}

/** An empty list asks for nothing, so it is no use of the feature. */
function isUsed(value: unknown, values?: readonly string[]): boolean {
  if (values !== undefined) return typeof value === 'string' && values.includes(value);
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}
