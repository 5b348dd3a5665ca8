export * from './memory-world.ts';
export * from './network.ts';
export * from './sample-network.ts';
export * from './scenario-family.ts';
export * from './settlement-invariants.ts';
export * from './settlement-model.ts';
export * from './settlement-run.ts';
export * from './contract-scene.ts';
