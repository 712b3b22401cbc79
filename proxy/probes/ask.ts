/** Asks a container on loopback what the kubelet would have asked it. */
import { connect as connectTcp } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request, type Dispatcher } from 'undici';
import type { ProbeHandler, ProbeTarget } from '../../crds/probes.ts';
import { healthCheckRequest, isServing } from './grpc-health.ts';

const HOST = '127.0.0.1';
const PATH = '/grpc.health.v1.Health/Check';
/** An answer to a health check has two bytes; nobody is to fill our memory with one. */
const MAX_ANSWER = 1024;

/** Whether the container says that it is well. Never throws: what cannot be reached is not well. */
export async function ask({ handler, timeoutSeconds }: ProbeTarget, given: AbortSignal): Promise<boolean> {
  const signal = AbortSignal.any([given, AbortSignal.timeout(timeoutSeconds * 1000)]);
  try {
    return await answerOf(handler, signal);
  } catch {
    return false;
  }
}

function answerOf(handler: ProbeHandler, signal: AbortSignal): Promise<boolean> {
  if ('httpGet' in handler) return askHttp(handler.httpGet, signal);
  return 'tcpSocket' in handler ? askTcp(handler.tcpSocket, signal) : askGrpc(handler.grpc, signal);
}

type HttpGet = Extract<ProbeHandler, { httpGet: unknown }>['httpGet'];

/** As the kubelet: certificates are not verified, redirects count as well, and the body is nobody's business. */
async function askHttp(
  { path, port, scheme, httpHeaders = [] }: HttpGet,
  signal: AbortSignal,
): Promise<boolean> {
  const agent: Dispatcher = new Agent({ connect: { rejectUnauthorized: false }, pipelining: 0 });
  try {
    const url = `${scheme.toLowerCase()}://${HOST}:${port}${path.startsWith('/') ? path : `/${path}`}`;
    const headers = httpHeaders.map(({ name, value }): [string, string] => [name.toLowerCase(), value]);
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      headers: { 'user-agent': 'gatehouse-probe', ...Object.fromEntries(headers) },
      signal,
    });
    body.on('error', () => undefined).destroy();
    return statusCode >= 200 && statusCode < 400;
  } finally {
    await agent.destroy();
  }
}

function askTcp({ port }: { port: number }, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: HOST, port, signal });
    const end = (well: boolean): void => {
      socket.destroy();
      resolve(well);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

function askGrpc(
  { port, service }: { port: number; service: string },
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${HOST}:${port}`);
    const end = (well: boolean): void => {
      session.destroy();
      resolve(well);
    };
    session.once('error', () => end(false));
    const stream = session.request(
      { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' },
      { signal },
    );
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER) end(false);
      else chunks.push(chunk);
    });
    stream.once('error', () => end(false));
    stream.once('end', () => end(isServing(Buffer.concat(chunks))));
    stream.end(healthCheckRequest(service));
  });
}
