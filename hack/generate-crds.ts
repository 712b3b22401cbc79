/** Writes crds/*.yaml from the schemas. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '#crds';
import { crdFile, crdText } from './crd.ts';

const folder = join(import.meta.dirname, '..', 'crds');
for (const kind of kinds) writeFileSync(join(folder, crdFile(kind)), crdText(kind));
