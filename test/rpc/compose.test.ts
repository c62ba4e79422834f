import { expect, test } from "bun:test";
import { z } from "zod";
import { createApp, settings } from "../../src/app.ts";
import { ConfigError, defineSettings, loadSettings, setting } from "../../src/core/config.ts";
import { features as registry } from "../../src/features/index.ts";
import { composeFeatures } from "../../src/rpc/compose.ts";
import { defineFeature, type Feature } from "../../src/rpc/feature.ts";
import { openEmpty } from "../support/database.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { CapturedLog } from "../support/logs.ts";
import { template } from "../support/template.ts";

const door = defineFeature({
  settings: defineSettings({ door_min_length: { schema: setting.integer(4, 12).default(6), doc: "Fewest digits." } }),
  signInMethods: { door: null },
  router: ({ procedures, settings: { door_min_length } }) => ({
    auth: {
      door: procedures
        .public({
          summary: "Sign in by a door code.",
          output: z.strictObject({ enough: z.boolean() }),
          errors: [],
          rest: { method: "POST", path: "/v1/auth/door" },
        })
        .input(z.strictObject({ pin: z.string().min(door_min_length) }))
        .mutation(() => ({ enough: true })),
    },
  }),
});

const withDoor = composeFeatures({ ...registry, door });
const registered = loadSettings(settings, { env: {}, flags: {} });

async function options() {
  const clock = new FakeClock();
  const { masterKeys } = await template();
  const storage = await openEmpty(clock);
  return { publicUrl: "http://localhost", storage, clock, log: new CapturedLog(), masterKeys, version: "0" };
}

function start(features: Readonly<Record<string, Feature>>) {
  return async () => {
    const composed = composeFeatures(features);
    await createApp({ ...(await options()), features: { ...composed, settings: {} }, settings: registered });
  };
}

test("the application refuses to start without the value of a setting that a feature declares", async () => {
  const given = { ...(await options()), features: withDoor };
  // @ts-expect-error the settings were loaded without those of the door code
  const forgotten = createApp({ ...given, settings: registered });
  await expect(forgotten).rejects.toThrow(
    "door declares the setting door_min_length, but door_min_length has no value",
  );
  await expect(forgotten).rejects.toBeInstanceOf(ConfigError);
});

test("the application starts once the feature's settings are composed with the others", async () => {
  const loaded = loadSettings(withDoor.settings, { env: {}, flags: {} });
  const app = await createApp({ ...(await options()), features: withDoor, settings: { ...registered, ...loaded } });
  expect(loaded.door_min_length).toBe(6);
  expect(Object.keys(withDoor.hooks.credentials)).toEqual([
    "password",
    "passkey",
    "magic_link",
    "email_code",
    "anonymous",
    "door",
  ]);
  const { identity } = app;
  const create = (method: string) =>
    identity.storage.write((tx) =>
      identity.applications.create(tx, 0, "tenant", { name: "By code", sign_in_methods: [method] }),
    );
  await expect(create("pim")).rejects.toMatchObject({ code: "invalid_input" });
});

test("a setting may be left without a value only if its schema says so", async () => {
  const odd = (schema: z.ZodType) => ({ odd: defineFeature({ settings: { odd: { schema, doc: "Odd." } } }) });
  await start(odd(z.string().optional()))();
  await expect(start(odd(z.string()))()).rejects.toThrow("odd has no value");
  await expect(start(odd(z.string().default("x")))()).rejects.toThrow("odd has no value");
});

test("two features must not declare the same setting, method, procedure, route or job", async () => {
  const { password, anonymous } = registry;
  const second = defineFeature({ settings: { password_min_length: password.settings.password_min_length } });
  expect(() => composeFeatures({ password, second })).toThrow(
    "password and second both declare the setting password_min_length",
  );
  const sameMethod = defineFeature({ settings: {}, signInMethods: { password: null } });
  expect(() => composeFeatures({ password, sameMethod })).toThrow("Two features add the sign-in method password");

  const keeps = defineFeature({ settings: {}, signInMethods: { key: password.signInMethods?.password ?? null } });
  expect(() => composeFeatures({ keeps })).toThrow("keeps adds a sign-in method with a credential, but no erase");

  const empty = { settings: {} };
  const job = { name: "anonymous-retention", every: 1, run: async () => {} };
  await expect(start({ anonymous, other: defineFeature({ ...empty, jobs: () => [job] }) })()).rejects.toThrow(
    "Two features add the job anonymous-retention",
  );
  const procedure = (tree: "leaf" | "branch" | "route") =>
    defineFeature({
      ...empty,
      router: ({ procedures }) => {
        const described = procedures.session({
          summary: "One more.",
          output: z.null(),
          errors: [],
          ...(tree === "route" ? { rest: { method: "POST" as const, path: "/v1/auth/anonymous" as const } } : {}),
        });
        const leaf = described.query(() => null);
        return { auth: tree === "route" ? { other: leaf } : { anonymous: tree === "leaf" ? leaf : { other: leaf } } };
      },
    });
  await expect(start({ anonymous, other: procedure("leaf") })()).rejects.toThrow("auth.anonymous is declared twice");
  await expect(start({ anonymous, other: procedure("branch") })()).rejects.toThrow("auth.anonymous is a procedure");
  await expect(start({ anonymous, other: procedure("route") })()).rejects.toThrow(
    "POST /v1/auth/anonymous is declared twice",
  );
});
