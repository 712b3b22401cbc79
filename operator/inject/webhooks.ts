/** The admission webhooks over the state of a cluster: what they know of it, and the application that answers. */
import express, { type Express } from 'express';
import type { McpGateway } from '#crds';
import type { Logger } from '../../lib/log.ts';
import type { ConfigMaps } from '../source/snapshot.ts';
import { createAdmissionRouter } from './router.ts';
import { answeringGateway, type Candidate } from './select.ts';
import type { ServiceTargets } from './port.ts';
import type { InjectionSettings } from './settings.ts';
import { injectionDigest } from './sidecar.ts';

/** What of a Service decides whether it leads past a sidecar. */
export function targetsOf(service: ServiceObject): Known['services'][number] {
  const { metadata, spec } = service;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    selector: spec.selector,
    targets: spec.ports.map(({ port, targetPort }) => targetPort ?? port),
  };
}

interface ServiceObject {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly port: number; readonly targetPort?: number | string | undefined }[];
  };
}

/** What of the cluster admission asks for. */
export interface Known {
  readonly candidates: readonly Candidate[];
  readonly services: readonly (ServiceTargets & { readonly namespace: string })[];
  readonly configMaps: ConfigMaps;
}

export interface Webhooks {
  readonly app: Express;
  /** From now on admission goes by this state. */
  take(known: Known): void;
  /** What the annotation of a pod of this gateway would say if it were injected now. */
  digestFor(gateway: McpGateway): string | undefined;
}

/** `settings` are asked with every question, as roots change; undefined until there are any. */
export function createWebhooks(settings: () => InjectionSettings | undefined, log: Logger): Webhooks {
  let known: Known | undefined;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(
    createAdmissionRouter({
      log,
      surroundings: () => {
        const current = settings();
        if (known === undefined || current === undefined) return undefined;
        const { candidates, services, configMaps } = known;
        return {
          configMaps,
          settings: current,
          gatewayFor: (namespace, labels) => answeringGateway(candidates, namespace, labels),
          servicesIn: (namespace) => services.filter((service) => service.namespace === namespace),
        };
      },
    }),
  );
  return {
    app,
    take: (next) => {
      known = next;
    },
    digestFor: (gateway) => {
      const current = settings();
      return current === undefined ? undefined : injectionDigest({ gateway, settings: current });
    },
  };
}
