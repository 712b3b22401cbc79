# The image of every process of Gatehouse. `make image` builds it; it wants the bundle that hack/image makes as its
# context, and as its base any image with glibc, Node 24 or newer, and iptables for the network rules.
ARG BASE
FROM ${BASE}
COPY etc /etc
COPY opt /opt
COPY --chmod=755 bin /usr/local/bin
# By number, so that runAsNonRoot can be checked; the network rules exempt this user.
USER 64311:64311
# As cli/runtime.ts has it, which says why.
ENV MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072
# What hack/image/warm.ts has found compiled; another Node than that finds nothing there, and compiles for itself.
ENV NODE_COMPILE_CACHE=/opt/gatehouse/cache NODE_COMPILE_CACHE_PORTABLE=1
WORKDIR /
ENTRYPOINT ["node", "--max-semi-space-size=4", "--initial-old-space-size=16", "--heap-growing-percent=30", "--liftoff-only", "--disable-sigusr1", "/opt/gatehouse/main.mjs"]
