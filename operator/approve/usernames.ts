/**
 * Who a person is to Kubernetes. The API server knows users by name alone, gateways know them by token: only what
 * the installation says lets the two be compared, and without it they are not the same person to anyone.
 */
import type { Bundle } from '../../crds/bundle.ts';

/** Tokens of `issuer` name, in `claim`, the user that Kubernetes knows with `prefix` before it. */
export interface UsernameMapping {
  readonly issuer: string;
  readonly claim: string;
  readonly prefix: string;
}

export interface TokenPerson {
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly username: string;
}

/** `undefined` where nothing says how Kubernetes calls the person. */
export type KubernetesName = (gateway: string, person: TokenPerson) => string | undefined;

export const noKubernetesNames: KubernetesName = () => undefined;

/** `username` is the value of the claim that the gateway's provider reads it from, so only that and `sub` are known. */
export function kubernetesNames(
  mappings: readonly UsernameMapping[],
  bundles: { bundle(gateway: string): Bundle | undefined },
): KubernetesName {
  return (gateway, person) => {
    const provider = bundles
      .bundle(gateway)
      ?.identity.find((entry) => entry.kind !== 'anonymous' && entry.issuer === person.issuer);
    // Kubernetes itself signed the token, and calls the account as the token does.
    if (provider?.kind === 'serviceAccount') return person.subject;
    const mapping = mappings.find(({ issuer }) => issuer === person.issuer);
    if (provider?.kind !== 'oidc' || mapping === undefined) return undefined;
    if (mapping.claim === 'sub') return withPrefix(mapping, person.subject);
    return mapping.claim === provider.usernameClaim ? withPrefix(mapping, person.username) : undefined;
  };
}

function withPrefix({ prefix }: UsernameMapping, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${prefix}${value}`;
}
