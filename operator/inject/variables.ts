/** Environment variables of a container, as injection puts them there and takes them away. */
import type { Container } from './pod.ts';

type Variables = Readonly<Record<string, string>>;
type Variable = NonNullable<Container['env']>[number];

export function listOf(variables: Variables): Variable[] {
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

/** What a container has beside those of these names. */
export function besides(env: readonly Variable[] | undefined, variables: Variables): Variable[] {
  return (env ?? []).filter(({ name }) => !Object.hasOwn(variables, name));
}
