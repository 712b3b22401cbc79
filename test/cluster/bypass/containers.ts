/** Ways by what a container is allowed to be: its user, its capabilities, what it shares and what it mounts. */
import { inEphemeral } from './api.ts';
import { GATEWAY, inNewPod, type Attempt, type Side } from './attempt.ts';
import { PORTS, SIDECAR_UID, SLEEP, withOther, withSpec, type Pod } from './pods.ts';
import { afterFlush, asUser, overTcp, readingFile, readingTokensOfProcesses } from './scripts.ts';

const REACH = overTcp('127.0.0.1', PORTS.server);

/** The network leads to the naive side's sidecar too; what it lacks is a hand on the containers. */
const users: Attempt[] = [
  made(
    "an image whose user is the sidecar's",
    (pod, side) => withOther(pod, ofTheSidecarsUser(side)),
    GATEWAY,
  ),
  made("the sidecar's user", (pod) => withOther(pod, { securityContext: { runAsUser: SIDECAR_UID } })),
  made("the sidecar's user, for the whole pod", (pod) =>
    withSpec(pod, { securityContext: { runAsUser: SIDECAR_UID } }),
  ),
  made("setuid to the sidecar's user", (pod) => pod, 'refused EPERM', asUser(SIDECAR_UID, REACH)),
  made(
    "root, and setuid to the sidecar's user",
    (pod) => withOther(pod, { securityContext: { runAsUser: 0 } }),
    'refused EPERM',
    asUser(SIDECAR_UID, REACH),
  ),
  made(
    'the capability SETUID',
    (pod) =>
      withOther(pod, { securityContext: { runAsUser: 0, capabilities: { add: ['SETUID', 'SETGID'] } } }),
    /refused: .*SETUID/s,
    asUser(SIDECAR_UID, REACH),
  ),
];

const rules: Attempt[] = [
  made(
    'NET_ADMIN, and no rules any more',
    (pod) => withOther(pod, { securityContext: { capabilities: { add: ['NET_ADMIN'] } } }),
    /refused: .*NET_ADMIN/s,
    afterFlush(REACH),
  ),
  made(
    'privileged, and no rules any more',
    (pod) => withOther(pod, { securityContext: { privileged: true } }),
    /refused: .*privileged/s,
    afterFlush(REACH),
  ),
];

const secrets: Attempt[] = [
  reads("the sidecar's files through shared processes", /shareProcessNamespace/, (side, pod) => ({
    pod: withSpec(pod, { shareProcessNamespace: true }),
    script: asUser(SIDECAR_UID, readingTokensOfProcesses(side.sidecar.token)),
  })),
  reads("the sidecar's files through the node's processes", /hostPID/, (side, pod) => ({
    pod: withOther(withSpec(pod, { hostPID: true }), { securityContext: { privileged: true } }),
    script: readingTokensOfProcesses(side.sidecar.token),
  })),
  reads("the node's files", /hostPath/, (_, pod) => ({
    pod: withOther(withSpec(pod, { volumes: [{ name: 'node', hostPath: { path: '/etc' } }] }), {
      volumeMounts: [{ name: 'node', mountPath: '/node' }],
    }),
    script: readingFile('/node/hostname'),
  })),
  reads("a mount of the sidecar's token", /gatehouse-token|mounts/, (side, pod) => ({
    pod: withOther(pod, { volumeMounts: [{ name: side.sidecar.volume, mountPath: '/stolen' }] }),
    script: readingFile('/stolen/token'),
  })),
  reads("a token of the sidecar's audience", /audience/, (side, pod) => ({
    pod: withOther(
      withSpec(pod, {
        volumes: [
          {
            name: 'mine',
            projected: {
              sources: [{ serviceAccountToken: { audience: side.sidecar.audience, path: 'token' } }],
            },
          },
        ],
      }),
      { volumeMounts: [{ name: 'mine', mountPath: '/mine' }] },
    ),
    script: readingFile('/mine/token'),
  })),
];

const ephemeral: Attempt[] = [
  ephemeralWay(
    "an ephemeral container as the sidecar's user",
    () => ({ securityContext: { runAsUser: SIDECAR_UID } }),
    /refused: .*64311/s,
  ),
  ephemeralWay(
    'an ephemeral container with SETUID',
    () => ({
      securityContext: { runAsUser: 0, capabilities: { add: ['SETUID', 'SETGID'] } },
      args: evaluating(asUser(SIDECAR_UID, REACH)),
    }),
    /refused: .*SETUID/s,
  ),
  {
    ...ephemeralWay(
      'an ephemeral container in the processes of the sidecar',
      (side) => ({
        targetContainerName: side.sidecar.container,
        securityContext: { runAsUser: SIDECAR_UID, runAsGroup: SIDECAR_UID },
        args: evaluating(readingTokensOfProcesses(side.sidecar.token)),
      }),
      /refused: .*(?:64311|aimed at)/s,
    ),
    naive: 'READ',
  },
  {
    ...ephemeralWay(
      'an ephemeral container in the processes of the sidecar, as root',
      (side) => ({
        targetContainerName: side.sidecar.container,
        securityContext: { runAsUser: 0, capabilities: { add: ['SYS_PTRACE'] } },
        args: evaluating(readingTokensOfProcesses(side.sidecar.token)),
      }),
      /refused: .*(?:SYS_PTRACE|aimed at)/s,
    ),
    naive: 'READ',
  },
  // The last, because it leaves the naive pod without rules.
  ephemeralWay(
    'a privileged ephemeral container, and no rules any more',
    () => ({ securityContext: { privileged: true }, args: evaluating(afterFlush(REACH)) }),
    /refused: .*privileged/s,
  ),
];

export const containerWays: readonly Attempt[] = [...users, ...rules, ...secrets, ...ephemeral];

/** A pod made otherwise than a user's, whose other container then tries. */
function made(
  name: string,
  change: (pod: Pod, side: Side) => Pod,
  guarded: Attempt['guarded'] = /refused: .*64311/s,
  script = REACH,
): Attempt {
  const tried = (side: Side): Promise<string> =>
    inNewPod(side, change(side.podNamed('made'), side), 'other', script);
  return { name, tried, naive: 'SERVER', guarded };
}

function reads(
  name: string,
  reason: RegExp,
  make: (side: Side, pod: Pod) => { pod: Pod; script: string },
): Attempt {
  const tried = (side: Side): Promise<string> => {
    const { pod, script } = make(side, side.podNamed('reads'));
    return inNewPod(side, pod, 'other', script);
  };
  return { name, tried, naive: 'READ', guarded: new RegExp(`refused: .*(?:${reason.source})`, 's') };
}

let added = 0;

export function ephemeralWay(
  name: string,
  fields: (side: Side) => object,
  guarded: Attempt['guarded'],
): Attempt {
  const tried = (side: Side): Promise<string> => {
    added += 1;
    return inEphemeral(side, {
      name: `debug-${added}`,
      image: side.cluster.images.node,
      imagePullPolicy: 'IfNotPresent',
      args: evaluating(REACH),
      ...fields(side),
    });
  };
  return { name, tried, naive: 'SERVER', guarded };
}

export function evaluating(script: string): string[] {
  return ['--input-type=module', '--eval', script];
}

/** The image of Gatehouse is one whose user is the sidecar's. */
export function ofTheSidecarsUser(side: Side): { image: string; command: string[]; args: string[] } {
  return { image: side.cluster.images.gatehouse, command: ['node', '--eval', SLEEP], args: [] };
}
