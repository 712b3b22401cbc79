/** How Node runs the processes of an installation, for little memory under load; the Dockerfile says the same. */

/**
 * A call leaves some 80 KB behind that die young, and a proxy keeps about 25 MB. V8 would let the young generation grow
 * to 96 MB and the old one to some 100 MB before it looks at it for the first time; here they stay near what is in use.
 * `--liftoff-only`: the SQL grammar is a large WebAssembly module, and optimizing it takes 20 MB and the time of tens of
 * thousands of statements, to read each of them a fifth faster from then on. `--disable-sigusr1`: the signal would open a
 * debugger on loopback, which all containers of a pod share.
 */
export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=4',
  '--initial-old-space-size=16',
  '--heap-growing-percent=30',
  '--liftoff-only',
  '--disable-sigusr1',
];

/** glibc keeps what is freed for each thread apart, up to eight arenas a core; two keep them from fragmenting. */
export const ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
