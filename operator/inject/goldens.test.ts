import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { apply } from '../../test/fixtures/json-patch.ts';
import { golden, stale } from '../../test/fixtures/goldens.ts';
import { shapeOf, type Shape } from '../../test/fixtures/inject.ts';
import { admitPod } from './admit-pod.ts';
import type { Operation } from './patch.ts';
import type { Verdict } from './review.ts';

const folder = join(import.meta.dirname, '../../test/goldens/inject');
const names = readdirSync(folder);
const inputs = names.filter((name) => name.endsWith('.yaml') && !name.endsWith('.out.yaml'));
const outputOf = (name: string): string => name.replace(/\.yaml$/, '.out.yaml');

function admit(pod: object, { around }: Shape): Verdict {
  return admitPod(
    {
      uid: 'question',
      kind: { group: '', kind: 'Pod' },
      resource: { group: '', resource: 'pods' },
      namespace: around.namespace,
      operation: 'CREATE',
      object: pod,
      oldObject: null,
    },
    around,
  );
}

/** The pod after the patch, as it is once both went over the wire. */
function patched(pod: object, patch: readonly Operation[]): object {
  return apply(pod, z.array(z.custom<Operation>()).parse(JSON.parse(JSON.stringify(patch)))) as object;
}

function outcome(verdict: Verdict, pod: object): unknown {
  if (!verdict.allowed) return { refused: verdict.message };
  const { patch = [], warnings = [] } = verdict;
  if (patch.length === 0) return 'left as it is';
  return { ...(warnings.length > 0 && { warnings }), pod: patched(pod, patch) };
}

test('there are many shapes', () => {
  expect(inputs.length).toBeGreaterThanOrEqual(25);
});

test.each(inputs)('%s', (name) => {
  const shape = shapeOf(readFileSync(join(folder, name), 'utf8'));
  const text = stringify(outcome(admit(shape.pod, shape), shape.pod), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
  expect(text).toBe(golden(join(folder, outputOf(name)), text));
});

test.each(inputs)('%s is not changed by a second injection', (name) => {
  const shape = shapeOf(readFileSync(join(folder, name), 'utf8'));
  const once = admit(shape.pod, shape);
  if (!once.allowed) {
    expect(admit(shape.pod, shape)).toEqual(once);
    return;
  }
  const injected = patched(shape.pod, once.patch ?? []);
  const twice = admit(injected, shape);
  expect(twice.allowed && (twice.patch ?? [])).toEqual([]);
});

test('nothing is expected of a shape that is gone', () => {
  const outputs = names.filter((name) => name.endsWith('.out.yaml')).map((name) => join(folder, name));
  expect(stale(outputs, new Set(inputs.map((name) => join(folder, outputOf(name)))))).toEqual([]);
});
