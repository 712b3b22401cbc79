#!/bin/sh
# The first process of a cluster, in namespaces of its own (network, mounts, processes, IPC, host name). When it ends,
# the kernel ends every process of the cluster and undoes every mount and every interface.
#
#   node-init.sh DIRECTORY HOST-NAME FAMILIES COMMAND…
#
# FAMILIES is a list of "node-address service-range" pairs.
set -eu
directory=$1 name=$2 families=$3
shift 3

mount --make-rshared /
# The fixed places that container software writes to are this cluster's own.
mount -t tmpfs -o mode=755 cluster-run /run
mkdir /run/cluster /run/var /run/var-work /run/sysctl
mount --bind "$directory" /run/cluster
# A group of its own: what the kubelet mounts below must not appear under the other path as well.
mount --make-private /run/cluster
mount --make-shared /run/cluster
mount -t overlay -o lowerdir=/var,upperdir=/run/var,workdir=/run/var-work cluster-var /var

# The kubelet insists on settings of the kernel that belong to the whole machine: it reads them here.
pretend() {
  printf '%s\n' "$2" > "/run/sysctl/$(basename "$1")"
  mount --bind "/run/sysctl/$(basename "$1")" "/proc/sys/$1"
}
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000

hostname "$name"
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
if [ -d /proc/sys/net/ipv6 ]; then echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; fi
echo "$families" | while read -r address services; do
  # Without looking for duplicates, which would leave an IPv6 address unusable as a source for a moment.
  case $address in
    *:*) ip address add "$address" dev lo nodad ;;
    *) ip address add "$address" dev lo ;;
  esac
  # The API server calls webhooks by the addresses of Services, which no interface has.
  ip route add "$services" dev lo src "$address"
done

# The first process also buries orphans, which a shell does while it waits.
"$@" &
wait $!
