export { BackOffice } from './back-office.ts';
export type { BackOfficeOptions, StepOutcome } from './back-office.ts';
export { readPlan } from './domestic-plan.ts';
export type { DomesticPlan, Leg, LodgeStep, PayStep, Step } from './domestic-plan.ts';
