/** What is said of an object once it was compiled: the conditions of its status, without times. */
import { objectKey, type PolicyObject } from '#crds';
import { GatehouseError } from '../../lib/errors.ts';

export interface Condition {
  readonly type: 'Accepted' | 'Programmed';
  readonly status: 'True' | 'False';
  /** One word, stable, for programs. */
  readonly reason: string;
  /** One sentence. */
  readonly message: string;
}

export interface ObjectConditions {
  readonly kind: PolicyObject['kind'];
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly Condition[];
  /** Of a policy: the gateways (`namespace/name`) that took it. */
  readonly gateways: readonly string[];
  readonly warnings: readonly string[];
}

/** Why a gateway gets no bundle. `code` is the reason of its condition. */
export class NotAccepted extends GatehouseError {
  readonly code: string;

  constructor(reason: string, message: string) {
    super(message);
    this.code = reason;
  }
}

/** `McpGateway tools/orders`, as sentences name an object. */
export function titleOf(object: PolicyObject): string {
  return `${object.kind} ${objectKey(object)}`;
}
