import { crc32Base62 } from './crc32.ts';
import { ALPHANUMERIC, filler, type BuiltinDetector, type LiteralDetector } from './detector.ts';
import { looksRandom } from './entropy.ts';
import { alnum, anyHex, base64, format, hex, lowerAlnum, url64, word } from './format.ts';

/**
 * GitHub's and npm's tokens end in the CRC-32 of their 30 random characters. A right checksum proves a token; one
 * that was cut together wrongly, or predates the checksum, is still taken for one where it looks random.
 */
export function withChecksum(prefixes: readonly string[]): Pick<LiteralDetector, 'valid' | 'examples'> {
  const example = (prefix: string): string => {
    const random = filler(ALPHANUMERIC, 30);
    return prefix + random + crc32Base62(random);
  };
  return {
    valid: (value) => {
      const body = value.slice(value.indexOf('_') + 1);
      return body.endsWith(crc32Base62(body.slice(0, -6))) || looksRandom(body);
    },
    examples: () => ({
      positive: [...prefixes.map(example), `${prefixes[0] ?? ''}${filler(ALPHANUMERIC, 36)}`],
      negative: prefixes.flatMap((prefix) => [
        prefix + 'x'.repeat(36),
        example(prefix).slice(0, -1),
        `${example(prefix)}0`,
        `a${example(prefix)}`,
      ]),
    }),
  };
}

const GITHUB_PREFIXES = ['ghp_', 'gho_', 'ghu_', 'ghs_'];
const NPM_PREFIXES = ['npm_'];

export const codeHosting: readonly BuiltinDetector[] = [
  format({
    name: 'github-token',
    description: 'GitHub personal, OAuth, user-to-server and installation tokens',
    source: 'https://github.blog/engineering/behind-githubs-new-authentication-token-formats/',
    parts: [GITHUB_PREFIXES, alnum(36)],
    ...withChecksum(GITHUB_PREFIXES),
  }),
  format({
    name: 'github-installation-token',
    description: 'GitHub App installation token that holds a JWT',
    source:
      'https://github.blog/changelog/2026-05-15-github-app-installation-tokens-per-request-override-header/',
    parts: ['ghs_', { ...url64(60, 2048), charset: '[A-Za-z0-9._-]' }],
  }),
  format({
    name: 'github-refresh-token',
    description: 'GitHub App refresh token',
    source:
      'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
    parts: ['ghr_', alnum(36, 76)],
  }),
  format({
    name: 'github-fine-grained-token',
    description: 'GitHub fine-grained personal access token',
    source:
      'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github',
    parts: ['github_pat_', word(82)],
  }),
  format({
    name: 'gitlab-token',
    description:
      'GitLab personal, project, group, deploy, runner, trigger, feed, agent and other prefixed tokens',
    source: 'https://docs.gitlab.com/security/tokens/#token-prefixes',
    parts: [
      [
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
      { ...url64(20, 300), charset: '[A-Za-z0-9_.-]' },
    ],
  }),
  format({
    name: 'gitlab-runner-registration-token',
    description: 'GitLab runner registration token, which begins with a date that became its mark',
    source: 'https://docs.gitlab.com/security/tokens/#runner-registration-tokens-legacy',
    parts: ['GR1348941', url64(20)],
  }),
  format({
    name: 'gitlab-session-cookie',
    description: 'Session cookie of GitLab',
    source: 'https://docs.gitlab.com/security/tokens/#gitlab-session-cookies',
    parts: ['_gitlab_session=', lowerAlnum(32)],
  }),
  format({
    name: 'bitbucket-app-password',
    description: 'Bitbucket Cloud app password',
    source: 'https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/',
    parts: ['ATBB', url64(28, 40)],
  }),
  format({
    name: 'bitbucket-data-center-token',
    description: 'Bitbucket Data Center HTTP access token',
    source: 'https://confluence.atlassian.com/bitbucketserver/http-access-tokens-939515499.html',
    parts: ['BBDC-', { ...base64(32, 60), charset: '[A-Za-z0-9+/=@_-]' }],
  }),
  format({
    name: 'atlassian-api-token',
    description: 'Atlassian API token, and Bitbucket repository, project and workspace access tokens',
    source:
      'https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/',
    parts: [['ATATT3', 'ATCTT3', 'ATSTT3'], { ...url64(60, 300), charset: '[A-Za-z0-9_=-]' }],
  }),
  format({
    name: 'sourcegraph-token',
    description: 'Sourcegraph access token',
    source: 'https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token',
    parts: [['sgp_', 'sgp_local_'], anyHex(40)],
  }),
  format({
    name: 'sourcegraph-instance-token',
    description: 'Sourcegraph access token that names its instance',
    source: 'https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token',
    parts: ['sgp_', anyHex(16), '_', anyHex(40)],
  }),
  format({
    name: 'sonarqube-token',
    description: 'SonarQube user, project and global analysis tokens',
    source: 'https://docs.sonarsource.com/sonarqube-server/latest/user-guide/managing-tokens/',
    parts: [['squ_', 'sqp_', 'sqa_'], hex(40)],
  }),
  format({
    name: 'npm-token',
    description: 'npm access token',
    source: 'https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/',
    parts: [NPM_PREFIXES, alnum(36)],
    ...withChecksum(NPM_PREFIXES),
  }),
];
