import type { Settings, SettingsOf } from "../core/config.ts";
import type { FeatureContract } from "../core/feature.ts";
import type { Metrics } from "../core/metrics.ts";
import type { SecondFactor } from "../identity/factors/second-factors.ts";
import type { Identity } from "../identity/identity.ts";
import type { ClaimsHook } from "../identity/sessions/access-tokens.ts";
import type { Executor } from "../storage/storage.ts";
import type { Procedures } from "./procedures.ts";
import type { ProcedureTree } from "./tree.ts";

/** What a feature is built from. */
export interface Host<Config = Record<string, unknown>> {
  identity: Identity;
  procedures: Procedures;
  metrics: Metrics;
  /** The values of the feature's own slice. */
  settings: Config;
}

/** One capability; `S` is its slice of the configuration. */
export type Feature<S extends Settings = Settings> = FeatureContract<
  Host<SettingsOf<S>>,
  ProcedureTree,
  Parameters<ClaimsHook>[0],
  Executor,
  SecondFactor
> & { settings: S };

/** Declares a feature, keeping the types of its settings. */
export function defineFeature<const S extends Settings>(feature: Feature<S>): Feature<S> {
  return feature;
}
