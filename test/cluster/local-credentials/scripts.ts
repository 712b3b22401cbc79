/** JavaScript that runs in containers of the pod, and prints one line. */

/** Whether TLS is offered at a port of loopback, by a certificate that `caFile` vouches for; what it shows itself by. */
export function databaseOverTls(port: number, caFile: string): string {
  return `
    import { connect } from 'node:net';
    import { connect as secure } from 'node:tls';
    import { once } from 'node:events';
    import { createHash } from 'node:crypto';
    import { readFileSync } from 'node:fs';
    const socket = connect(${port}, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    const [answer] = await once(socket, 'data');
    if (String(answer) !== 'S') throw new Error('no TLS: ' + answer);
    const ca = readFileSync('${caFile}', 'utf8');
    const tls = secure({ socket, ca, servername: 'localhost' });
    await once(tls, 'secureConnect');
    console.log(createHash('sha256').update(ca).digest('hex'));
    tls.destroy();`;
}

/** What answers at a port of loopback when a database is asked for: \`database\`, or the first line of another. */
export function whoAnswers(port: number): string {
  return `
    import { connect } from 'node:net';
    import { once } from 'node:events';
    const socket = connect(${port}, '127.0.0.1');
    const silence = setTimeout(() => { console.log('silence'); process.exit(); }, 5000);
    try {
      await once(socket, 'connect');
      socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
      const [answer] = await once(socket, 'data');
      console.log(String(answer) === 'S' ? 'database' : String(answer).split('\\r\\n')[0]);
    } catch (error) {
      console.log(error.code);
    }
    clearTimeout(silence);
    socket.destroy();`;
}

/** Mode and owner of a file, and what comes of writing into its directory and over it. */
export function fileAsSeen(path: string): string {
  return `
    import { statSync, readdirSync, writeFileSync, unlinkSync, renameSync } from 'node:fs';
    import { dirname } from 'node:path';
    const outcome = (attempt) => { try { attempt(); return 'done'; } catch (error) { return error.code; } };
    const { mode, uid } = statSync('${path}');
    console.log(JSON.stringify({
      mode: (mode & 0o777).toString(8), uid, names: readdirSync(dirname('${path}')),
      over: outcome(() => writeFileSync('${path}', 'x')),
      beside: outcome(() => writeFileSync('${path}-2', 'x')),
      remove: outcome(() => unlinkSync('${path}')),
      rename: outcome(() => renameSync('${path}', '${path}-2')),
    }));`;
}
