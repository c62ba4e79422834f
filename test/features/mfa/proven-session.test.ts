import { expect } from "bun:test";
import { z } from "zod";
import { Metrics } from "../../../src/core/metrics.ts";
import { NetworkList } from "../../../src/core/network.ts";
import { Edge } from "../../../src/http/edge.ts";
import { buildRoutes, listenerOptions } from "../../../src/http/server.ts";
import type { StepUpNeed } from "../../../src/rpc/gate.ts";
import { createProcedures, mergeTrees } from "../../../src/rpc/procedures.ts";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { giveTotp, raise } from "../../support/second-factors.ts";

const needs = {
  fresh: { fresh: true },
  aal2: { aal: "aal2" },
  recent: { maxAge: 60 },
  now: { maxAge: 0 },
  both: { aal: "aal2", maxAge: 60 },
} satisfies Record<string, StepUpNeed>;
type Need = keyof typeof needs;

/** Serves procedures that each need just one thing, on the identity of an application. */
function serve(app: TestApp) {
  const procedures = createProcedures(app.identity);
  const declare = (name: Need) =>
    procedures
      .provenSession(needs[name], {
        summary: name,
        output: z.strictObject({ status: z.literal("success") }),
        errors: [],
        rest: { method: "POST", path: `/v1/${name}` },
      })
      .mutation(() => ({ status: "success" as const }));
  const router = mergeTrees([Object.fromEntries((Object.keys(needs) as Need[]).map((name) => [name, declare(name)]))]);
  const metrics = new Metrics();
  const edge = new Edge({
    hosts: app.identity.directory.hosts,
    trustedProxies: new NetworkList([]),
    clientAddressHeader: "x-forwarded-for",
    hsts: "host",
    clock: app.clock,
    log: app.log,
    requestLog: null,
    metrics,
  });
  const built = buildRoutes({
    identity: app.identity,
    router,
    edge,
    metrics,
    metricsToken: undefined,
    corsHeaders: [],
    inbox: null,
    report: null,
    version: "0.0.0-test",
  });
  const options = { ...listenerOptions, hostname: "127.0.0.1", port: 0, routes: built.routes, fetch: built.fetch };
  const server = Bun.serve(options as never);
  const host = new URL(app.publicUrl).host;
  const ask = async (name: Need, token: string) => {
    const headers = { authorization: `Bearer ${token}`, host };
    const answer = await fetch(`http://127.0.0.1:${server.port}/v1/${name}`, { method: "POST", headers });
    const { error } = (await answer.json()) as { error?: { code: string; details: unknown } };
    return { status: answer.status, challenge: answer.headers.get("www-authenticate"), ...error };
  };
  return { ask, stop: () => server.stop(true) };
}

scenarios("procedures that need more of a session, over HTTP (RFC 9470 section 3; ASVS 7.5.3)", (t) => {
  t.test("each need is met or named, for every age and level", async (app) => {
    const { ask, stop } = serve(app);
    const { user, tokens } = await app.signedIn();
    const refused = (parameters: string, details: object) => ({
      status: 401,
      code: "insufficient_user_authentication",
      challenge: `Bearer error="insufficient_user_authentication"${parameters}`,
      details,
    });
    const weak = refused(', acr_values="aal2"', { acr_values: "aal2", max_age: null });
    const late = (age: number) => refused(`, max_age="${age}"`, { acr_values: null, max_age: age });
    const weakAndLate = (age: number) =>
      refused(`, acr_values="aal2", max_age="${age}"`, { acr_values: "aal2", max_age: age });
    const shows = async (expected: Record<Need, object | "in">) => {
      for (const name of Object.keys(needs) as Need[]) {
        const answer = await ask(name, tokens.accessToken);
        if (expected[name] === "in") expect([name, answer.status]).toEqual([name, 200]);
        else expect([name, answer]).toMatchObject([name, expected[name]]);
      }
    };
    // The user proved one factor and has one. The session began 250 ms before the clock's instant.
    await shows({ fresh: "in", aal2: weak, recent: "in", now: late(0), both: weak });
    app.clock.advance(60_000);
    await shows({ fresh: "in", aal2: weak, recent: late(60), now: late(0), both: weakAndLate(60) });
    app.clock.advance(541_000);
    await shows({ fresh: late(600), aal2: weak, recent: late(60), now: late(0), both: weakAndLate(60) });
    // From here on the user has a second factor, and `fresh` asks for it.
    await giveTotp(app, user);
    await shows({ fresh: weakAndLate(600), aal2: weak, recent: late(60), now: late(0), both: weakAndLate(60) });
    await raise(app, tokens.session.sid);
    await shows({ fresh: late(600), aal2: "in", recent: late(60), now: late(0), both: late(60) });
    await stop();
  });

  t.test(
    "a refresh makes no session fresher, and a needed step-up does not look like an expired token",
    async (app) => {
      const { ask, stop } = serve(app);
      const { tokens } = await app.signedIn();
      app.clock.advance(601_000);
      const { body } = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
      expect(await ask("fresh", body.access_token)).toMatchObject({ code: "insufficient_user_authentication" });
      app.clock.advance(900_000);
      expect(await ask("fresh", body.access_token)).toMatchObject({ code: "token_expired" });
      await stop();
    },
  );
});
