/**
 * A client that says what it likes at every layer. Run with a Call as JSON, it prints a CallOutcome. No variable of a
 * proxy is heeded: it connects.
 */
import { once } from 'node:events';
import { request as requestHttp1, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { text as textOf } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { z } from 'zod';

const call = z.object({
  /** Where the socket is opened to: a name, which is resolved as the machine does, or an address. */
  to: z.string(),
  port: z.number().default(443),
  /** The name in TLS; without one it is that of `to`, and none where that is an address. */
  serverName: z.string().optional(),
  /** What Host or :authority says. */
  host: z.string().default(''),
  path: z.string().default('/'),
  token: z.string().optional(),
  http2: z.boolean().default(false),
});
export type Call = z.input<typeof call>;
type Given = z.output<typeof call>;

export const callOutcome = z.union([
  z.object({ status: z.number(), body: z.string(), issuer: z.string() }),
  z.object({ error: z.string() }),
]);
export type CallOutcome = z.infer<typeof callOutcome>;

async function run(given: Given): Promise<CallOutcome> {
  const tls = connectTls({
    host: given.to,
    port: given.port,
    // The test looks at who signed it.
    rejectUnauthorized: false,
    ALPNProtocols: [given.http2 ? 'h2' : 'http/1.1'],
    ...(given.serverName === undefined ? {} : { servername: given.serverName }),
  });
  await once(tls, 'secureConnect');
  const issuer = String(tls.getPeerCertificate().issuer.CN);
  return { ...(await (given.http2 ? overHttp2(tls, given) : overHttp1(tls, given))), issuer };
}

type Answer = { status: number; body: string };

async function overHttp1(socket: TLSSocket, { host, path, token }: Given): Promise<Answer> {
  const outgoing = requestHttp1({
    createConnection: () => socket,
    path,
    headers: headersOf(token, { host }),
  });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await textOf(response) };
}

async function overHttp2(socket: TLSSocket, { host, path, token }: Given): Promise<Answer> {
  const session = connectHttp2(`https://${host}`, { createConnection: () => socket });
  const stream = session.request(headersOf(token, { ':authority': host, ':path': path }));
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders & IncomingHttpStatusHeader];
  const body = await textOf(stream);
  session.destroy();
  return { status: answer[':status'] ?? 0, body };
}

function headersOf(token: string | undefined, more: Record<string, string>): Record<string, string> {
  return { ...more, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
}

const [, program, argument] = process.argv;
if (program === import.meta.filename && argument !== undefined) {
  const deadline = setTimeout(() => {
    console.log(JSON.stringify({ error: 'silence' }));
    process.exit(0);
  }, 10_000);
  const outcome = await run(call.parse(JSON.parse(argument))).catch((error: unknown) => ({
    error: error instanceof Error && 'code' in error ? String(error.code) : String(error),
  }));
  clearTimeout(deadline);
  console.log(JSON.stringify(outcome));
  process.exit(0);
}
