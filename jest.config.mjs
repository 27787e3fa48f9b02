// One configuration for every package. Sources resolve by the `source` export condition, so nothing is built first.
export default {
  testMatch: [
    '<rootDir>/{packages,infra}/*/test/**/*.test.ts',
    '<rootDir>/test/**/*.test.ts',
    '<rootDir>/bench/test/**/*.test.ts',
  ],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: [],
  transform: {
    '^.+\\.(ts|mjs|js)$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  // ESM-only dependencies that Jest must see as CommonJS.
  transformIgnorePatterns: [
    '/node_modules/(?!(openid-client|oauth4webapi|jose|cookie|content-disposition|ulid|@fastify/.*|@platformatic/.*|@opentelemetry/otlp-exporter-base)/)',
  ],
  globalSetup: '<rootDir>/infra/embedded/test-services/global-setup.mjs',
  globalTeardown: '<rootDir>/infra/embedded/test-services/global-teardown.mjs',
  modulePathIgnorePatterns: ['<rootDir>/.skein/', '<rootDir>/packages/.*/dist/'],
  maxWorkers: 2,
  testTimeout: 180_000,
};
