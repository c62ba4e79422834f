import type { AnyRouter } from "@trpc/server";
import type { Settings } from "../core/config.ts";
import type { FeatureContract } from "../core/feature.ts";
import type { Identity } from "../identity/identity.ts";
import type { ClaimsHook } from "../identity/sessions/access-tokens.ts";
import type { Procedures } from "./procedures.ts";

/** What a feature is built from. */
export interface Host<Config = unknown> {
  identity: Identity;
  procedures: Procedures;
  /** The values of the feature's own slice. */
  settings: Config;
}

/** One capability. `S` is its slice of the configuration, `R` its router. */
export interface Feature<S extends Settings, R extends AnyRouter>
  extends FeatureContract<Host<{ [K in keyof S]: ReturnType<S[K]["schema"]["parse"]> }>, R, Parameters<ClaimsHook>[0]> {
  settings: S;
}

/** Declares a feature, keeping the types of its settings and its router. */
export function defineFeature<const S extends Settings, R extends AnyRouter>(feature: Feature<S, R>): Feature<S, R> {
  return feature;
}
