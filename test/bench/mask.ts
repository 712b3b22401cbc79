/** What masking costs in CPU time: microseconds for a message of about 1 KB, megabytes a second for one of about 1 MB. */
import type { MaskPolicy } from '../../crds/bundle.ts';
import { compileMasker, createKnownSecrets } from '../../proxy/engine/mask/index.ts';

const row = {
  id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  order: 90071992,
  placed: '2026-11-20T10:11:12.000Z',
  customer: 'Ada Lovelace',
  note: 'Two boxes, one of them fragile; leave them with the neighbour at number 12.',
  total: 129.95,
  paid: true,
};

function structured(rows: number): string {
  return message({
    structuredContent: { rows: Array.from({ length: rows }, (_, at) => ({ ...row, order: at })) },
  });
}

function textCopy(rows: number): string {
  return message({
    content: [{ type: 'text', text: JSON.stringify({ rows: Array<object>(rows).fill(row) }) }],
  });
}

function prose(lines: number): string {
  const line =
    'The quick brown fox jumps over the lazy dog; v1.2.3 of it was built on 2026-11-20 at commit 9fceb02d0ae598e9.\n';
  return message({ content: [{ type: 'text', text: line.repeat(lines) }] });
}

function message(result: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, result });
}

const everything: MaskPolicy = {
  name: 'bench/everything',
  mode: 'Enforce',
  direction: 'Response',
  detectors: [{ preset: 'Credentials' }, { preset: 'PaymentCards' }, { preset: 'PersonalData' }],
  fields: [{ keys: ['password', 'api_key', 'token'] }],
  exclude: [],
  action: 'Redact',
};
const pattern: MaskPolicy = {
  ...everything,
  detectors: [...everything.detectors, { name: 'employee-id', pattern: '[A-Z]-[0-9]{6}' }],
};

const known = createKnownSecrets({ now: () => 0 });
const before = process.memoryUsage().arrayBuffers;
known.set(
  'bench',
  Array.from(
    { length: 500 },
    (_, at) => Buffer.from(`secret ${at} ${at * 7919}`).toString('base64') + 'x'.repeat(at % 40),
  ),
);
known.prepare();
console.log(
  `500 known secrets: ${((process.memoryUsage().arrayBuffers - before) / 1e6).toFixed(1)} MB of tables`,
);

const blob = message({
  contents: [{ uri: 'a:b', blob: Buffer.alloc(750_000, 'x\u0001y9').toString('base64') }],
});
const texts = {
  'structured, 1 KB': structured(4),
  'JSON in text, 1 KB': textCopy(4),
  'prose, 1 KB': prose(9),
  'structured, 1 MB': structured(4000),
  'JSON in text, 1 MB': textCopy(4000),
  'prose, 1 MB': prose(9000),
  'blob, 1 MB': blob,
};

for (const [policies, named] of [
  [[], 'known secrets'],
  [[everything], 'all presets'],
  [[pattern], 'and a pattern'],
] as const) {
  const masker = compileMasker(policies, { known, hashKey: new Uint8Array(32) });
  for (const [title, text] of Object.entries(texts)) {
    const rounds = Math.max(3, Math.ceil(6_000_000 / text.length));
    let outcome = masker.message(text, { purpose: 'release' });
    const start = process.cpuUsage();
    for (let round = 0; round < rounds; round += 1) outcome = masker.message(text, { purpose: 'release' });
    const micros = process.cpuUsage(start).user / rounds;
    const clean =
      outcome.kind === 'released' && outcome.masked.length === 0
        ? ''
        : `  NOT CLEAN ${JSON.stringify(outcome).slice(-200)}`;
    console.log(
      `${named.padEnd(14)} ${title.padEnd(20)} ${micros.toFixed(0).padStart(8)} µs ${(text.length / micros).toFixed(0).padStart(5)} MB/s${clean}`,
    );
  }
}
