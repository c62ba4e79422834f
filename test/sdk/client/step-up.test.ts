import { describe, expect, test } from "bun:test";
import { createClient, SallyportError, type StepUpNeed, stepUpNeedOf } from "../../../src/sdk/client/index.ts";
import { type Refused, readNeed } from "../../../src/sdk/client/step-up.ts";
import { TestWire } from "../support/wire.ts";

const APPLICATION = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const CODE = "insufficient_user_authentication";

interface Claims {
  sub?: string;
  aal?: "aal1" | "aal2";
  auth_time?: number;
}

/** For display only: no code checks its signature here. */
function tokenOf({ sub = "ada", aal = "aal1", auth_time = 1_000 }: Claims = {}): string {
  const claims = { sub, sid: "s", aal, amr: ["pwd"], auth_method: "password", auth_time };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}

/** Refuses these tokens, batch by batch. */
function refuse(wire: TestWire, refused: readonly string[], details: object | null, code = CODE): void {
  wire.override = ({ headers, url }) => {
    if (!refused.includes(headers.get("authorization")?.slice(7) ?? "")) return undefined;
    const error = { code, message: code, type: "authentication_error", request_id: "r", details };
    const item = { error: { message: code, code: -32001, data: { code: "UNAUTHORIZED", httpStatus: 401, error } } };
    return Response.json(
      new URL(url).pathname.split(",").map(() => item),
      { status: 401 },
    );
  };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "success",
    (error: unknown) => (error instanceof SallyportError ? error.code : String(error)),
  );
}

describe("a call that needs a step-up", () => {
  const weak = tokenOf();
  const strong = tokenOf({ aal: "aal2", auth_time: 2_000 });

  test("asks once for all waiting calls, names the need, and retries each call once", async () => {
    await using wire = new TestWire();
    refuse(wire, [weak], { acr_values: "aal2", max_age: 300 });
    const asked: StepUpNeed[] = [];
    const client = createClient({
      url: wire.url,
      applicationId: APPLICATION,
      accessToken: weak,
      async onStepUp(need) {
        asked.push(need);
        await Bun.sleep(1);
        client.setAccessToken(strong);
        return true;
      },
    });
    const first = [client.auth.session.query(), client.users.list.query()];
    await Bun.sleep(0);
    expect(await Promise.all([...first, client.auth.session.query()].map(codeOf))).toEqual(Array(3).fill("success"));
    expect(asked).toEqual([{ aal: "aal2", maxAge: 300 }]);
    const tokens = wire.received.map(({ headers }) => headers.get("authorization"));
    expect(new Set(tokens)).toEqual(new Set([`Bearer ${weak}`, `Bearer ${strong}`]));
  });

  test.each<[string, boolean, string, number]>([
    ["the user declines", false, strong, 1],
    ["the step-up changes nothing", true, weak, 1],
    ["the new token is too weak, and the user is not asked again", true, tokenOf({ auth_time: 3_000 }), 2],
    ["another user signed in", true, tokenOf({ sub: "eve", aal: "aal2", auth_time: 2_000 }), 1],
  ])("%s: the call rejects with the refusal", async (_name, isProven, next, requests) => {
    await using wire = new TestWire();
    refuse(wire, [weak, tokenOf({ auth_time: 3_000 })], { acr_values: "aal2", max_age: null });
    let asked = 0;
    const client = createClient({
      url: wire.url,
      applicationId: APPLICATION,
      accessToken: weak,
      onStepUp() {
        asked++;
        client.setAccessToken(next);
        return isProven;
      },
    });
    expect(await codeOf(client.auth.session.query())).toBe(CODE);
    expect(asked).toBe(1);
    expect(wire.received).toHaveLength(requests);
  });

  test("a call that waits for a declined question does not ask again", async () => {
    await using wire = new TestWire();
    refuse(wire, [weak], { acr_values: "aal2", max_age: null });
    let asked = 0;
    const onStepUp = async () => {
      asked++;
      await Bun.sleep(5);
      return false;
    };
    const client = createClient({ url: wire.url, applicationId: APPLICATION, accessToken: weak, onStepUp });
    const calls = [client.auth.session.query(), client.users.list.query(), client.auth.session.query()];
    expect(await Promise.all(calls.map(codeOf))).toEqual(Array(3).fill(CODE));
    expect(asked).toBe(1);
  });

  test("asks nobody if the call says so, and never for a refresh", async () => {
    await using wire = new TestWire();
    refuse(wire, [weak], { acr_values: null, max_age: 60 });
    const rejected: unknown[] = [];
    const client = createClient({
      url: wire.url,
      applicationId: APPLICATION,
      getAccessToken: (asking) => {
        rejected.push(asking.rejected);
        return weak;
      },
      onStepUp: () => {
        throw new Error("the user must not be asked");
      },
    });
    const error = await client.auth.session.query(undefined, { stepUp: false }).catch((thrown: unknown) => thrown);
    expect(stepUpNeedOf(error)).toEqual({ aal: null, maxAge: 60 });
    expect(rejected).toEqual([null]);
    // A handler that fails counts as a refusal by the user.
    expect(await codeOf(client.auth.session.query())).toBe(CODE);
  });

  test("after a stale token: handles each problem once", async () => {
    await using wire = new TestWire();
    const [old, renewed] = [tokenOf({ auth_time: 900 }), weak];
    refuse(wire, [renewed], { acr_values: "aal2", max_age: null });
    const needy = wire.override;
    refuse(wire, [old], null, "token_expired");
    const stale = wire.override;
    wire.override = (request) => stale?.(request) ?? needy?.(request);
    let next = renewed;
    const client = createClient({
      url: wire.url,
      applicationId: APPLICATION,
      getAccessToken: ({ rejected }) => (rejected === null ? old : next),
      onStepUp() {
        next = strong;
        return true;
      },
    });
    expect(await codeOf(client.auth.session.query())).toBe("success");
    const tokens = wire.received.map(({ headers }) => headers.get("authorization")?.slice(7));
    expect(tokens).toEqual([old, renewed, strong]);
  });
});

const header = (parameters: string): Refused => ({
  code: undefined,
  details: undefined,
  challenge: `Bearer ${parameters}`,
});

test.each<[string, Refused, StepUpNeed | null]>([
  [
    "the envelope",
    { code: CODE, details: { acr_values: "aal2", max_age: 5 }, challenge: null },
    { aal: "aal2", maxAge: 5 },
  ],
  ["a refusal without a stated need", { code: CODE, details: null, challenge: null }, { aal: null, maxAge: null }],
  ["RFC 9470's header", header(`error="${CODE}", acr_values="aal2", max_age="60"`), { aal: "aal2", maxAge: 60 }],
  ["an age without quotes", header(`error="${CODE}", max_age=0`), { aal: null, maxAge: 0 }],
  ["one level of several", header(`error="${CODE}", acr_values="urn:x aal2"`), { aal: "aal2", maxAge: null }],
  ["an unknown level", header(`error="${CODE}", acr_values="urn:x"`), { aal: null, maxAge: null }],
  ["no age", header(`error="${CODE}", max_age="soon"`), { aal: null, maxAge: null }],
  ["an expired token", header('error="invalid_token"'), null],
  ["a code that disagrees with the header", { ...header(`error="${CODE}"`), code: "token_expired" }, null],
  ["nothing", { code: undefined, details: undefined, challenge: null }, null],
])("reads the need from %s", (_name, refused, need) => {
  expect(readNeed(refused)).toEqual(need);
});

test("other errors need no step-up", () => {
  expect(stepUpNeedOf(new Error(CODE))).toBeNull();
  expect(
    stepUpNeedOf(new SallyportError({ code: "token_expired", message: "", status: 401, type: "authentication_error" })),
  ).toBeNull();
});
