// The house's import rules, as ARCHITECTURE.md draws them: whatever is not allowed here is refused.
const orchestrator = '^packages/orchestrator/src';
const layer = (name) => `${orchestrator}/${name}/`;

/** What each layer of the orchestrator may import of its own package. */
const LAYERS = {
  definitions: ['definitions'],
  store: ['definitions', 'store'],
  telemetry: ['definitions', 'telemetry'],
  engine: ['definitions', 'store', 'telemetry', 'engine'],
  history: ['definitions', 'store', 'engine', 'history'],
  worker: ['definitions', 'store', 'telemetry', 'engine', 'worker'],
  api: ['definitions', 'store', 'telemetry', 'engine', 'worker', 'history', 'api'],
  cli: ['definitions', 'store', 'telemetry', 'engine', 'worker', 'history', 'api', 'cli'],
  testing: ['definitions', 'testing'],
};

const layerRules = Object.entries(LAYERS).map(([name, allowed]) => ({
  name: `${name}-imports-only-inwards`,
  severity: 'error',
  from: { path: layer(name) },
  to: { path: `${orchestrator}/`, pathNot: allowed.map(layer) },
}));

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...layerRules,
    {
      name: 'orchestrator-knows-no-family',
      severity: 'error',
      from: { path: orchestrator },
      to: { path: ['^packages/(jobs|sensors|ui)/', '^infra/', '^skein\\.config'] },
    },
    {
      name: 'jobs-through-the-front-door',
      comment: 'Jobs and sensors see definitions through the public entry, never the engine or the store.',
      severity: 'error',
      from: { path: '^packages/(jobs|sensors)/src' },
      to: {
        path: `${orchestrator}/`,
        pathNot: ['^packages/orchestrator/src/index\\.ts$', '^packages/orchestrator/src/testing/'],
      },
    },
    {
      name: 'jobs-know-no-sensors',
      severity: 'error',
      from: { path: '^packages/jobs/src' },
      to: { path: ['^packages/(sensors|ui)/', '^infra/'], pathNot: '^infra/embedded/test-services/' },
    },
    {
      name: 'sensors-know-jobs-only',
      severity: 'error',
      from: { path: '^packages/sensors/src' },
      to: { path: ['^packages/ui/', '^infra/'] },
    },
    {
      name: 'ui-speaks-http-only',
      severity: 'error',
      from: { path: '^packages/ui/src' },
      to: { path: ['^packages/(orchestrator|jobs|sensors)/', '^infra/'] },
    },
    {
      name: 'families-do-not-mix',
      severity: 'error',
      from: { path: '^packages/jobs/src/(duckling|orphan-sync|reconciliation|raw-events|conversation-labels)/' },
      to: {
        path: '^packages/jobs/src/(duckling|orphan-sync|reconciliation|raw-events|conversation-labels)/',
        pathNot: '^packages/jobs/src/$1/',
      },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.skein|\\.cache)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['source', 'import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
