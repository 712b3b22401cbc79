/** Adds them one by one: a call takes no more than some hundred thousand arguments, and a text may hold more numbers. */
export function append<T>(to: T[], more: readonly T[]): void {
  for (const one of more) to.push(one);
}
