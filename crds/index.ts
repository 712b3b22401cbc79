/** `#crds`: the kinds, and manifests parsed into them. The proxy takes `#bundle` and `#control` instead. */
export type { Environment } from './built.ts';
export type { ConfigMap } from './config-map.ts';
export { readObject, type ReadObject } from './envelope.ts';
export { sentenceOfFault } from './issues.ts';
export { parseManifests } from './manifest.ts';
export type { ManifestFile, ManifestProblem, ParsedManifests, ParseOptions } from './manifest.ts';
export { API_VERSION, GROUP, objectKey } from './objects.ts';
export type { ApprovalRule, MaskingPolicy, McpGateway, ObjectMeta, PolicyObject } from './objects.ts';
export { readTargets, type Targets } from './targets.ts';
export { selects, type LabelSelector } from './shapes.ts';
export { kinds, type Kind, type KindName } from './kinds.ts';
export { toStructural, type StructuralSchema } from './structural.ts';
