/** What runs in containers: JavaScript that prints how an attempt to reach something ended. */

/** The gateway's own name, so that nothing but the missing token is wrong with a request. */
export const HOST = 'orders.example';

/** `SERVER`: got there. `answered STATUS BODY`: somebody else did answer. Else `silence` or `refused ERRNO`. */
export function overTcp(host: string, port: number, path = '/mcp'): string {
  return `
    const { get } = await import('node:http');
    const outcome = await new Promise((resolve) => {
      const request = get({ host: ${JSON.stringify(host)}, port: ${port}, path: ${JSON.stringify(path)}, timeout: 4000, agent: false, headers: { host: ${JSON.stringify(HOST)} } }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => (body += text)).on('end', () =>
          resolve(body === 'SERVER' ? body : 'answered ' + response.statusCode + ' ' + body));
      });
      request.on('timeout', () => { request.destroy(); resolve('silence'); });
      request.on('error', (error) => resolve('refused ' + error.code));
    });
    console.log(outcome);`;
}

export function overUdp(host: string, port: number): string {
  return `
    const { createSocket } = await import('node:dgram');
    const socket = createSocket(${JSON.stringify(host.includes(':') ? 'udp6' : 'udp4')});
    const outcome = await new Promise((resolve) => {
      socket.on('message', (text) => resolve(String(text))).on('error', (error) => resolve('refused ' + error.code));
      socket.send('hello', ${port}, ${JSON.stringify(host)}, (error) => error && resolve('refused ' + error.code));
      setTimeout(() => resolve('silence'), 3000);
    });
    socket.close();
    console.log(outcome);`;
}

/** Becomes another user first, as root with SETUID can. */
export function asUser(uid: number, script: string): string {
  return `
    try { process.setgid(${uid}); process.setuid(${uid}); }
    catch (error) { console.log('refused ' + error.code); process.exit(); }
    ${script}`;
}

/** `VALUE`: a file was read; `what` is looked for in it. */
export function readingFile(path: string): string {
  return `
    const { readFileSync } = await import('node:fs');
    try { readFileSync(${JSON.stringify(path)}); console.log('READ'); }
    catch (error) { console.log('refused ' + error.code); }`;
}

/** Looks for the sidecar's token through the /proc of every process that is in sight. */
export function readingTokensOfProcesses(path: string): string {
  return `
    const { readFileSync, readdirSync } = await import('node:fs');
    let outcome = 'refused ENOENT';
    for (const id of readdirSync('/proc').filter((entry) => /^[0-9]+$/.test(entry))) {
      try { readFileSync('/proc/' + id + '/root' + ${JSON.stringify(path)}); outcome = 'READ'; break; } catch {}
    }
    console.log(outcome);`;
}

/** Removes the network rules with the nft that the image of Gatehouse has, then tries. */
export function afterFlush(script: string): string {
  return `
    const { spawnSync } = await import('node:child_process');
    spawnSync('nft', ['flush', 'ruleset']);
    ${script}`;
}
