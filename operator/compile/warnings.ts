/** What is allowed in a gateway and still worth a word to whoever wrote it. */
import { objectKey, type McpGateway } from '#crds';
import { titleOf } from './conditions.ts';
import type { Installation } from './installation.ts';
import { limitsAreLowered } from './limits.ts';
import { warningsOfTools } from './tools.ts';

export function warningsOfGateway(gateway: McpGateway, installation: Installation): string[] {
  const { spec } = gateway;
  const title = titleOf(gateway);
  const anonymous = spec.identity.some((provider) => 'anonymous' in provider);
  const warnings: [boolean, string][] = [
    [anonymous, `${title} lets callers in without a token: spec.identity has anonymous.`],
    [
      !anonymous && spec.access.some((rule) => rule.anonymous),
      `${title} grants access to anonymous callers, but spec.identity has no anonymous, so there are none.`,
    ],
    [
      spec.access.some(reachesNothing),
      `${title} has an access rule that grants nothing: it has no tools, prompts, resources or methods.`,
    ],
    [spec.access.length === 0, `${title} has no access rule, so nobody may call anything.`],
    [spec.recording.onFailure === 'Allow', `${title} lets calls through that cannot be recorded.`],
    [
      limitsAreLowered(spec.limits, installation.floors.most),
      `${title} asks for higher limits than this installation allows; they were lowered.`,
    ],
  ];
  const held = warnings.filter(([holds]) => holds).map(([, message]) => message);
  return [...held, ...warningsOfTools(gateway, installation.knownTools(objectKey(gateway)))];
}

function reachesNothing(rule: McpGateway['spec']['access'][number]): boolean {
  return rule.tools.length + rule.prompts.length + rule.resources.length + rule.methods.length === 0;
}
