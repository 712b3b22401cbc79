/** Writes crds/*.yaml from the schemas, and the copies of the chart. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '#crds';
import { chartCrdText, crdFile, crdText } from './crd.ts';

const folder = join(import.meta.dirname, '..', 'crds');
const chart = join(import.meta.dirname, '..', 'charts', 'gatehouse', 'files', 'crds');
for (const kind of kinds) {
  writeFileSync(join(folder, crdFile(kind)), crdText(kind));
  writeFileSync(join(chart, crdFile(kind)), chartCrdText(kind));
}
