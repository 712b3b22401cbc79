# The image of every process of Gatehouse. `make image` builds it; it wants the bundle that hack/image makes as its
# context, and as its base any image with glibc, Node 24 or newer, and iptables for the network rules.
ARG BASE
FROM ${BASE}
COPY etc /etc
COPY opt /opt
COPY --chmod=755 bin /usr/local/bin
# By number, so that runAsNonRoot can be checked; the network rules exempt this user.
USER 64311:64311
# As cli/standalone.ts has it for its children.
ENV NODE_OPTIONS=--max-semi-space-size=16
WORKDIR /
ENTRYPOINT ["node", "/opt/gatehouse/main.mjs"]
