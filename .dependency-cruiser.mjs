// Which folder may import which. `test/boundaries.test.ts` asserts that every module is seen and every rule bites.

const stages = 'receive|identify|authorize|integrity|guard|hold|credential|forward|release|record|egress';
const product = '^(lib|crds|operator|proxy|cli)/';
const isTest = '[.]test[.]ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'stages-are-strangers',
      comment: 'What two stages share lies in proxy/engine or proxy/lib, or is passed in by proxy/main.ts.',
      severity: 'error',
      from: { path: `^proxy/(${stages})/` },
      to: { path: `^proxy/(${stages})/`, pathNot: '^proxy/$1/' },
    },
    {
      name: 'shared-parts-know-no-stage',
      comment: 'What stages share must not depend on one of them.',
      severity: 'error',
      from: { path: '^proxy/(engine|lib|session)/|^proxy/(exchange|refusal)[.]ts$' },
      to: { path: `^proxy/(${stages})/|^proxy/(main|config|pipeline)[.]ts$` },
    },
    {
      name: 'helpers-know-no-engine',
      severity: 'error',
      from: { path: '^proxy/lib/' },
      to: { path: '^proxy/engine/' },
    },
    {
      name: 'stages-are-passed-what-they-need',
      comment:
        'The main files read the configuration and construct clients; nothing reaches back to them but standalone and cluster, which run them.',
      severity: 'error',
      from: {
        path: '^(operator|proxy)/',
        pathNot: `^(operator|proxy)/main[.]ts$|^operator/(standalone|cluster)/|${isTest}`,
      },
      to: { path: '^(operator|proxy)/(main|config)[.]ts$' },
    },
    {
      name: 'operator-knows-no-proxy',
      severity: 'error',
      from: { path: '^operator/' },
      to: { path: '^proxy/' },
    },
    {
      name: 'proxy-knows-no-operator',
      severity: 'error',
      from: { path: '^proxy/' },
      to: { path: '^operator/' },
    },
    {
      name: 'crds-is-a-leaf',
      severity: 'error',
      from: { path: '^crds/' },
      to: { path: '^(operator|proxy|cli)/' },
    },
    {
      name: 'lib-is-a-leaf',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(crds|operator|proxy|cli)/' },
    },
    {
      name: 'nothing-imports-cli',
      severity: 'error',
      comment: 'Nothing of the product; tests run the verbs as people do.',
      from: { pathNot: '^(cli|test)/' },
      to: { path: '^cli/' },
    },
    {
      name: 'product-knows-no-tests',
      comment: 'What ships imports neither tests and tools nor what only development has.',
      severity: 'error',
      from: { path: product, pathNot: isTest },
      to: { path: `^(test|hack)/|${isTest}` },
    },
    {
      name: 'product-needs-no-dev-dependency',
      severity: 'error',
      from: { path: product, pathNot: isTest },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '/@types/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
