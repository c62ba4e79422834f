import type { AnyRouter } from "@trpc/server";
import { type ComposedSettings, composeSettings, type Settings } from "../core/config.ts";
import type { Job } from "../core/feature.ts";
import type { SecondFactor } from "../identity/factors/second-factors.ts";
import type { FeatureHooks } from "../identity/hooks.ts";
import type { Feature, HostParts } from "./feature.ts";
import { mergeTrees } from "./procedures.ts";
import { joinUserParts } from "./user-parts.ts";

/** All features composed: their settings, their hooks for identity, and the parts that run inside a host. */
export interface Composition<S extends Settings = Settings> {
  settings: S;
  hooks: FeatureHooks;
  /** @throws Error if two features declare the same procedure or job; ConfigError if a declared setting has no value */
  start(
    host: Omit<HostParts, "signInMethods" | "userParts">,
    values: object,
  ): { router: AnyRouter; secondFactors: readonly SecondFactor[]; jobs: readonly Job[] };
}

type SettingsOfAll<Registry extends Readonly<Record<string, Feature>>> = ComposedSettings<{
  [Name in keyof Registry]: Registry[Name]["settings"];
}>;

/**
 * Composes a registry of features. Every part of the host that lists features takes its list from here.
 * @throws ConfigError if two features declare the same setting, Error if they add the same sign-in method
 */
export function composeFeatures<const Registry extends Readonly<Record<string, Feature>>>(
  registry: Registry,
): Composition<SettingsOfAll<Registry>>;
export function composeFeatures(registry: Readonly<Record<string, Feature>>): Composition {
  const named = Object.entries(registry);
  const features = named.map(([, feature]) => feature);
  const methods = features.flatMap((feature) => Object.entries(feature.signInMethods ?? {}));
  unique(
    "sign-in method",
    methods.map(([method]) => method),
  );
  for (const [name, feature] of named) requireHooks(name, feature);
  const userParts = {
    export: joinUserParts(features.flatMap((feature) => feature.export ?? [])),
    security: joinUserParts(features.flatMap((feature) => feature.security ?? [])),
  };
  const hooks: FeatureHooks = {
    credentials: Object.fromEntries(methods),
    claims: features.flatMap((feature) => feature.claims ?? []),
    erasures: features.flatMap((feature) => feature.erase ?? []),
    revocations: features.flatMap((feature) => feature.revokeCredentials ?? []),
  };
  return {
    settings: composeSettings(Object.fromEntries(named.map(([name, { settings }]) => [name, settings]))),
    hooks,
    start: (parts, values) => {
      const host = { ...parts, signInMethods: methods.map(([method]) => method), userParts };
      const started = named.map(([name, feature]) => feature.start(name, host, values));
      const secondFactors = started.flatMap((feature) => feature.secondFactors);
      const jobs = started.flatMap((feature) => feature.jobs);
      unique(
        "second factor",
        secondFactors.map(({ method }) => method),
      );
      unique(
        "job",
        jobs.map(({ name }) => name),
      );
      return { router: mergeTrees(started.map((feature) => feature.router)), secondFactors, jobs };
    },
  };
}

/**
 * Requires the hooks of a credential. Without them, a deleted user would keep a way to sign in, so would a stranger who
 * had registered with the user's address, and the user would not see the credential.
 */
function requireHooks(name: string, feature: Feature): void {
  if (Object.values(feature.signInMethods ?? {}).every((condition) => condition === null)) return;
  for (const hook of ["erase", "revokeCredentials", "export", "security"] as const) {
    if (feature[hook] !== undefined) continue;
    throw new Error(
      `${name} adds a sign-in method with a credential, but no ${hook}. Declare it, or null if nothing is kept.`,
    );
  }
}

function unique(kind: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two features add the ${kind} ${twice}. Give one of the two another name.`);
}
