/** MaskingPolicy: what is masked in what leaves a gateway. */
import { z } from 'zod';
import { detectorPreset, maskAction } from './bundle.ts';
import { jsonPath, re2Pattern } from './expressions.ts';
import { exactlyOne, globs, line, objectName, partName, texts, withRules } from './shapes.ts';
import { targetMembers, targetRules } from './targets.ts';

const detector = withRules(
  z.strictObject({
    preset: detectorPreset.optional(),
    name: partName.optional(),
    pattern: re2Pattern.optional().describe('RE2 syntax.'),
  }),
  [
    {
      cel: 'has(self.preset) ? !has(self.name) && !has(self.pattern) : has(self.name) && has(self.pattern)',
      message: 'must have either preset, or name and pattern',
      holds: ({ preset, name, pattern }) =>
        preset === undefined
          ? name !== undefined && pattern !== undefined
          : name === undefined && pattern === undefined,
    },
  ],
).transform(({ preset, name = '', pattern = '' }) => (preset === undefined ? { name, pattern } : { preset }));

const keys = texts.min(1);

const field = exactlyOne({
  keys: keys.describe('Names of members of any JSON object, compared without regard to case.'),
  jsonPath: jsonPath.describe('JSONPath (RFC 9535).'),
  columns: keys.describe('Names of columns of results in rows.'),
});

const protobuf = z.strictObject({
  mimeType: line(256),
  descriptorConfigMap: z.strictObject({ name: objectName, key: line(253) }),
  message: line(512),
  fields: keys,
});

const exclusion = exactlyOne({
  jsonPath: jsonPath.describe('JSONPath (RFC 9535).'),
  tools: globs.min(1),
  detectors: keys,
});

const members = z.strictObject({
  ...targetMembers,
  mode: z.enum(['Enforce', 'Audit']).default('Enforce').describe('Audit counts only.'),
  direction: z
    .enum(['Response', 'Request', 'Both'])
    .default('Response')
    .describe('Results, arguments, or both.'),
  detectors: z.array(detector).max(64).default([]),
  fields: z.array(field).max(64).default([]),
  protobuf: z.array(protobuf).max(32).default([]),
  exclude: z
    .array(exclusion)
    .max(64)
    .default([])
    .describe('Weakens this policy alone, and never a secret that the proxy holds.'),
  action: maskAction.default('Redact'),
});

export type MaskingPolicySpec = z.output<typeof members>;

export const maskingPolicySpec = withRules(members, [
  ...targetRules,
  {
    cel: 'size(self.detectors) > 0 || size(self.fields) > 0 || size(self.protobuf) > 0',
    message: 'masks nothing; give detectors, fields or protobuf',
    holds: (spec: MaskingPolicySpec) => spec.detectors.length + spec.fields.length + spec.protobuf.length > 0,
  },
]);
