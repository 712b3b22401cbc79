/** What configuration files and command lines hold, where the words around a value tell what it is. */
import { ALPHANUMERIC, anyCase, filler, type BuiltinDetector } from './detector.ts';
import { isPlaceholder } from './entropy.ts';

/** Whether a quote ends the word: literals hold none, since a text is also looked at as JSON that escapes it. */
function isQuoted(text: string, _: number, end: number): boolean {
  return /["'\\]/.test(text.charAt(end));
}

export const configuration: readonly BuiltinDetector[] = [
  {
    cue: 'literal',
    name: 'kubeconfig-client-key',
    description: 'The client key in a kubeconfig',
    source: 'https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo',
    literals: ['client-key-data'],
    pattern: String.raw`client-key-data["']?\s{0,8}:\s{0,8}["']?([A-Za-z0-9+/]{64,}={0,2})`,
    examples: () => ({
      positive: [`client-key-data: ${filler(ALPHANUMERIC, 128)}`],
      negative: [`client-certificate-data: ${filler(ALPHANUMERIC, 128)}`, 'client-key-data: REDACTED'],
    }),
  },
  {
    cue: 'literal',
    name: 'registry-auth',
    description: 'User and password for a container registry in a Docker configuration',
    source: 'https://github.com/docker/cli/blob/master/docs/reference/commandline/login.md',
    literals: ['auth'],
    mayStand: isQuoted,
    before: '"',
    pattern: String.raw`auth"\s{0,8}:\s{0,8}"([A-Za-z0-9+/]{8,1024}={0,2})"`,
    valid: (value) => /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(Buffer.from(value, 'base64').toString('latin1')),
    examples: () => ({
      positive: [`{"auth": "${Buffer.from('ada:' + filler(ALPHANUMERIC, 12)).toString('base64')}"}`],
      negative: ['"auth": "required"', `"auth": "${Buffer.from('no colon in here').toString('base64')}"`],
    }),
  },
  {
    cue: 'literal',
    name: 'netrc-password',
    description: 'The password of an entry in a .netrc file',
    source: 'https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html',
    literals: ['password '],
    before: String.raw`\b(?:machine\s{1,8}[^\s]{1,128}|default)\s{1,8}login\s{1,8}\S{1,128}\s{1,8}`,
    pattern: String.raw`password\s{1,8}([^\s"',;()]{4,})`,
    tries: 320,
    valid: (value) => !/^[a-z]+$/.test(value),
    embedded: true,
    examples: () => ({
      positive: [`machine example.org login ada password ${filler(ALPHANUMERIC, 10)}`],
      negative: ['login with your password please', 'the default login and password required'],
    }),
  },
  {
    cue: 'literal',
    name: 'password-hash',
    description: 'Password hash in crypt form: bcrypt, SHA-crypt, scrypt, yescrypt, Argon2',
    source: 'Manual page crypt(5) of libxcrypt',
    literals: ['$2a$', '$2b$', '$2y$', '$5$', '$6$', '$y$', '$7$', '$argon2', '$apr1$'],
    pattern: String.raw`\$(?:2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}|(?:5|6|y|7|apr1)\$[./A-Za-z0-9=,]{1,64}\$[./A-Za-z0-9$]{20,128}|argon2(?:id|i|d)\$v=[0-9]+\$[a-z0-9=,]{5,64}\$[A-Za-z0-9+/]{8,}\$[A-Za-z0-9+/]{16,})`,
    examples: () => ({
      positive: [
        `$2b$12$${filler(ALPHANUMERIC, 53)}`,
        `$6$${filler(ALPHANUMERIC, 16)}$${filler(ALPHANUMERIC, 86)}`,
        `$argon2id$v=19$m=65536,t=3,p=4$${filler(ALPHANUMERIC, 22)}$${filler(ALPHANUMERIC, 43)}`,
      ],
      negative: ['$2b$12$short', 'costs $5$ or $6$ each', '$y$x'],
    }),
  },
  {
    cue: 'literal',
    name: 'wireguard-key',
    description: 'Private or preshared key in a WireGuard configuration',
    source: 'Manual page wg(8), "Configuration file format"',
    literals: ['privatekey', 'presharedkey'],
    pattern: String.raw`(?:PrivateKey|PresharedKey)\s{0,4}=\s{0,4}([A-Za-z0-9+/]{43}=)`,
    examples: () => ({
      positive: [`PrivateKey = ${filler(ALPHANUMERIC, 43)}=`],
      negative: [`PublicKey = ${filler(ALPHANUMERIC, 43)}=`, 'PrivateKey = /etc/wireguard/key'],
    }),
  },
  {
    cue: 'literal',
    name: 'putty-private-key',
    description: 'The private part of a PuTTY key file',
    source: 'https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html',
    literals: ['private-lines:'],
    pattern: String.raw`Private-Lines: [0-9]{1,4}\s([A-Za-z0-9+/=\s]{40,})`,
    embedded: true,
    examples: () => ({
      positive: [`Private-Lines: 2\n${filler(ALPHANUMERIC, 64)}`],
      negative: [`Public-Lines: 2\n${filler(ALPHANUMERIC, 64)}`, 'Private-Lines: 2'],
    }),
  },
  {
    cue: 'literal',
    name: 'nuget-config-password',
    description: 'The password of a package source in nuget.config',
    source: 'https://learn.microsoft.com/en-us/nuget/reference/nuget-config-file#packagesourcecredentials',
    literals: ['password'],
    mayStand: isQuoted,
    before: anyCase('key=["\'](?:ClearText)?'),
    pattern: String.raw`${anyCase('password')}["']\s{0,8}value=["']([^"']{4,512})["']`,
    tries: 512,
    valid: (value) => !isPlaceholder(value),
    embedded: true,
    examples: () => ({
      positive: [`<add key="ClearTextPassword" value="${filler(ALPHANUMERIC, 12)}" />`],
      negative: [
        '<add key="ClearTextPassword" value="%NUGET_PASSWORD%" />',
        `<add key="Username" value="${filler(ALPHANUMERIC, 12)}" />`,
      ],
    }),
  },
  {
    cue: 'literal',
    name: 'curl-password',
    description: 'The password in the -u or --user option of curl',
    source: 'https://curl.se/docs/manpage.html#-u',
    literals: ['curl '],
    pattern: String.raw`curl (?:[^\n]{0,200}? )??(?:-u|--user)[ =]{0,2}["']?[^\s:"']{1,64}:([^\s"'@]{4,128})`,
    tries: 400,
    valid: (value) => !isPlaceholder(value),
    embedded: true,
    examples: () => ({
      positive: [
        `curl -s -u ada:${filler(ALPHANUMERIC, 12)} https://api.example/`,
        `curl https://api.example/ --user 'ada:${filler(ALPHANUMERIC, 12)}'`,
      ],
      negative: ['curl -u ada:$PASSWORD https://api.example/', 'curl -X GET https://api.example/?a:bcdefgh'],
    }),
  },
];
