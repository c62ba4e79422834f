import { type Settings, type SettingsOf, sliceValues } from "../core/config.ts";
import type { FeatureContract, Job, UserPart } from "../core/feature.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { SecondFactor } from "../identity/factors/second-factors.ts";
import type { Identity } from "../identity/identity.ts";
import type { ClaimsHook } from "../identity/sessions/access-tokens.ts";
import type { Executor } from "../storage/storage.ts";
import type { UserCondition } from "../storage/user-condition.ts";
import type { Procedures } from "./procedures.ts";
import type { ProcedureTree } from "./tree.ts";

/** The parts of the application that every feature gets. */
export interface HostParts {
  identity: Identity;
  procedures: Procedures;
  metrics: Metrics;
  log: Log;
  /** The sign-in methods of all features. */
  signInMethods: readonly string[];
  /** The parts that features add to documents about a user. */
  userParts: { export: UserPart<Executor>; security: UserPart<Executor> };
}

/** The parts and settings for one feature. */
export interface Host<Config = Record<string, unknown>> extends HostParts {
  /** The values of the feature's own slice. */
  settings: Config;
}

type Contract<Config> = FeatureContract<
  Host<Config>,
  ProcedureTree,
  Parameters<ClaimsHook>[0],
  Executor,
  SecondFactor,
  UserCondition
>;
type NeedsHost = "router" | "secondFactors" | "jobs";

/** The parts of a feature that run inside a host. */
interface StartedFeature {
  router: ProcedureTree;
  secondFactors: readonly SecondFactor[];
  jobs: readonly Job[];
}

/** One capability in the registry. `S` is its slice of the configuration. */
export interface Feature<S extends Settings = Settings> extends Omit<Contract<unknown>, NeedsHost | "settings"> {
  readonly settings: S;
  /** @throws ConfigError if one of its settings is not among `values` */
  start(name: string, host: HostParts, values: object): StartedFeature;
}

/** Declares a feature, and keeps the types of its settings. */
export function defineFeature<const S extends Settings>(
  feature: Contract<SettingsOf<S>> & { settings: S },
): Feature<S> {
  const { router, secondFactors, jobs, ...rest } = feature;
  return {
    ...rest,
    start: (name, parts, values) => {
      const host = { ...parts, settings: sliceValues(feature.settings, name, values) };
      return {
        router: router?.(host) ?? {},
        secondFactors: secondFactors?.(host) ?? [],
        jobs: jobs?.(host) ?? [],
      };
    },
  };
}
