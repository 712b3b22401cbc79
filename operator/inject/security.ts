/** Which user and which capabilities a container beside the sidecar runs with. */
import type { Container, PodSpec, SecurityContext } from './pod.ts';

/** None of these opens the sidecar's files, its network rules or its user to another container. */
const HARMLESS: readonly string[] = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE'];

/** Capabilities that a container asks for by name and cannot have. */
export function refusedCapabilities(context: SecurityContext | undefined): readonly string[] {
  return (context?.capabilities?.add ?? []).filter((name) => !HARMLESS.includes(plain(name)));
}

/**
 * States a user, shuts the ways to become another one, and drops every capability that is not harmless. A root
 * that dropped nothing keeps the harmless ones that runtimes give it; anybody else has only what is asked for.
 */
export function harden(container: Container, spec: PodSpec, runAsUser: number): Container {
  const context = container.securityContext ?? {};
  const user = userOf(container, spec);
  const kept = keptCapabilities(context, user === 0);
  return {
    ...container,
    securityContext: {
      ...context,
      ...(user === undefined && { runAsUser }),
      allowPrivilegeEscalation: false,
      capabilities: { ...(kept.length > 0 && { add: kept }), drop: ['ALL'] },
    },
  };
}

/** The user that a container states, or its pod for it. */
export function userOf({ securityContext }: Container, spec: PodSpec): number | undefined {
  return securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
}

/** Whether `harden` takes away what the container states. */
export function losesEscalation({ securityContext }: Container): boolean {
  return securityContext?.allowPrivilegeEscalation === true;
}

function keptCapabilities({ capabilities }: SecurityContext, isRoot: boolean): string[] {
  const asked = capabilities?.add ?? [];
  const dropped = (capabilities?.drop ?? []).map(plain);
  if (!isRoot || dropped.includes('ALL')) return asked;
  const ofRuntime = HARMLESS.filter((name) => !dropped.includes(name) && !asked.map(plain).includes(name));
  return [...asked, ...ofRuntime];
}

/** Kubernetes takes names with and without the kernel's prefix. */
function plain(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}
