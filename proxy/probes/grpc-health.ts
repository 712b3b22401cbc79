/** The two messages of grpc.health.v1.Health/Check, in a gRPC frame each: one flag, four bytes of length, protobuf. */

const FRAME = 5;
/** HealthCheckRequest.service, a string. */
const SERVICE = (1 << 3) | 2;
/** HealthCheckResponse.status, an enumeration in which 1 is SERVING. */
const STATUS = 1 << 3;
const SERVING = 1;

export function healthCheckRequest(service: string): Buffer {
  const name = Buffer.from(service);
  // Services have names of up to some hundred bytes; the length is a varint of two bytes at most.
  const length = name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  const message =
    name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([SERVICE, ...length]), name]);
  const frame = Buffer.alloc(FRAME);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** Whether an answer says SERVING; one that is compressed, cut short or of another form does not. */
export function isServing(answer: Buffer): boolean {
  if (answer.length < FRAME || answer[0] !== 0) return false;
  const message = answer.subarray(FRAME, FRAME + answer.readUInt32BE(1));
  return message.length === 2 && message[0] === STATUS && message[1] === SERVING;
}
