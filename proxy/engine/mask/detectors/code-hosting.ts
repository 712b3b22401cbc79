import { crc32Base62 } from './crc32.ts';
import { ALPHANUMERIC, filler, type BuiltinDetector } from './detector.ts';
import { token } from './token.ts';

const GITHUB_FORMATS = 'https://github.blog/engineering/behind-githubs-new-authentication-token-formats/';

/** The last six characters are the CRC-32 of the 30 random ones. */
function hasGithubChecksum(value: string): boolean {
  const random = value.slice(4, -6);
  return value.endsWith(crc32Base62(random));
}

function githubExample(prefix: string): string {
  const random = filler(ALPHANUMERIC, 30);
  return prefix + random + crc32Base62(random);
}

export const codeHosting: readonly BuiltinDetector[] = [
  token({
    name: 'github-token',
    description:
      'GitHub personal, OAuth, user-to-server, installation and refresh tokens with their checksum',
    source: GITHUB_FORMATS,
    prefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    alphabet: '[A-Za-z0-9]',
    length: 36,
    valid: hasGithubChecksum,
    exampleOf: ALPHANUMERIC,
    examples: () => ({
      positive: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map(githubExample),
      negative: [
        'ghp_',
        `ghp_${filler(ALPHANUMERIC, 35)}`,
        `${githubExample('ghp_').slice(0, -1)}~`,
        githubExample('ghx_'),
      ],
    }),
  }),
  token({
    name: 'github-fine-grained-token',
    description: 'GitHub fine-grained personal access token',
    source:
      'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github',
    prefixes: ['github_pat_'],
    alphabet: '[A-Za-z0-9_]',
    length: 82,
    exampleOf: ALPHANUMERIC,
  }),
  token({
    name: 'gitlab-token',
    description:
      'GitLab personal, project, group, deploy, runner, trigger, feed, agent and other prefixed tokens',
    source: 'https://docs.gitlab.com/security/tokens/#token-prefixes',
    prefixes: [
      'glpat-',
      'gldt-',
      'glrt-',
      'glrtr-',
      'glcbt-',
      'glptt-',
      'glft-',
      'glimt-',
      'glagent-',
      'gloas-',
      'glsoat-',
      'glffct-',
      'glwt-',
    ],
    alphabet: '[A-Za-z0-9_.-]',
    length: [20, 300],
    exampleOf: ALPHANUMERIC,
  }),
];
