export * from './memory-world.ts';
export * from './network.ts';
export * from './sample-network.ts';
