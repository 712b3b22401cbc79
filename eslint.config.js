import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// Rules that keep the shape of the code: where the environment is read, where a secret is unwrapped, how long a function may get.
const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Read the environment in config.ts and pass what you need in.',
};
const reveal = {
  selector: "CallExpression[callee.property.name='reveal']",
  message:
    'A Secret is unwrapped where it is used: proxy/credential, proxy/egress, operator/approve/notify and operator/console.',
};

export default tseslint.config(
  { ignores: ['node_modules', 'coverage', '**/out/**'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', '.dependency-cruiser.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      complexity: ['error', 10],
      'max-depth': ['error', 3],
      'max-params': ['error', 4],
      'no-restricted-syntax': ['error', environment, reveal],
    },
  },
  { files: ['**/config.ts', 'test/**', 'hack/**'], rules: { 'no-restricted-syntax': ['error', reveal] } },
  {
    files: [
      'proxy/credential/**',
      'proxy/egress/**',
      'operator/approve/notify/**',
      'operator/console/**',
      '**/*.test.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', environment] },
  },
  { files: ['hack/**', 'test/**'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.test.ts', 'test/**'],
    rules: { complexity: 'off', '@typescript-eslint/explicit-function-return-type': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
