import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALLOCATOR, NODE_FLAGS } from './runtime.ts';

const dockerfile = readFileSync(join(import.meta.dirname, '../Dockerfile'), 'utf8');

test('the image starts Node as standalone does', () => {
  const entrypoint: unknown = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? 'null');
  expect(entrypoint).toEqual(['node', ...NODE_FLAGS, '/opt/gatehouse/main.mjs']);
  const environment = /^ENV (.*)$/m.exec(dockerfile)?.[1]?.split(' ');
  expect(environment).toEqual(Object.entries(ALLOCATOR).map(([name, value]) => `${name}=${value}`));
});
