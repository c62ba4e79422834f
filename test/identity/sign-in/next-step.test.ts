import { expect, test } from "bun:test";
import { nextStep, type SignInFacts } from "../../../src/identity/sign-in/next-step.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

/** Facts that lead to a session; each case states how it differs. */
interface Difference {
  application?: Partial<SignInFacts["application"]>;
  proof?: Partial<SignInFacts["proof"]>;
  user?: Partial<SignInFacts["user"]>;
  audience?: string | null;
  organization?: SignInFacts["organization"];
  factors?: readonly string[];
  isTrustedDevice?: boolean;
}

function factsOf({ application, proof, user, ...rest }: Difference): SignInFacts {
  return {
    now: NOW,
    application: {
      signInMethods: new Set(["password", "passkey"]),
      audiences: ["https://api.example"],
      defaultAudience: "https://api.example",
      mfa: "optional",
      mfaGrace: 0,
      mfaRequiredAt: null,
      ...application,
    },
    proof: { method: "password", aal: "aal1", ...proof },
    user: { isLive: true, isAnonymous: false, createdAt: NOW - 1_000 * HOUR, ...user },
    audience: null,
    organization: null,
    factors: [],
    isTrustedDevice: false,
    ...rest,
  };
}

const totp = { factors: ["totp", "recovery_code"] };
const required = { mfa: "required", mfaRequiredAt: NOW - 2 * HOUR } as const;
const askTotp = { step: "second_factor", methods: ["totp", "recovery_code"] };
const session = { step: "session" };
const setUp = { step: "set_up_factor" };
const refuse = (reason: string) => ({ step: "refuse", reason });

/** The whole policy of a sign-in. The first column says what differs from a right password of an ordinary user. */
const CASES: [name: string, difference: Difference, next: object][] = [
  ["nothing", {}, session],

  ["the method is switched off", { proof: { method: "magic_link" } }, refuse("method_off")],
  ["no method is allowed", { application: { signInMethods: new Set() } }, refuse("method_off")],
  ["the method is off, and two factors are proven", { proof: { method: "pin", aal: "aal2" } }, refuse("method_off")],
  [
    "the method is off for an anonymous user",
    { proof: { method: "anonymous" }, user: { isAnonymous: true } },
    refuse("method_off"),
  ],
  [
    "the method is off and the account closed",
    { proof: { method: "pin" }, user: { isLive: false } },
    refuse("method_off"),
  ],

  ["the audience is the default one", { audience: "https://api.example" }, session],
  [
    "the audience is the default one of an application without audiences",
    {
      audience: "https://id.example/api/1",
      application: { audiences: [], defaultAudience: "https://id.example/api/1" },
    },
    session,
  ],
  [
    "the audience is another one of the application's",
    { audience: "https://two.example", application: { audiences: ["https://api.example", "https://two.example"] } },
    session,
  ],
  ["the audience is a stranger's", { audience: "https://evil.example" }, refuse("unknown_audience")],
  [
    "the audience is a stranger's, and two factors are proven",
    { audience: "https://evil.example", proof: { aal: "aal2" } },
    refuse("unknown_audience"),
  ],

  ["the account is closed", { user: { isLive: false } }, refuse("account_closed")],
  ["the account is closed and has a factor", { user: { isLive: false }, ...totp }, refuse("account_closed")],
  [
    "the account is closed after two factors",
    { user: { isLive: false }, proof: { aal: "aal2" } },
    refuse("account_closed"),
  ],

  ["the user is a member of the organization", { organization: { isMember: true } }, session],
  ["the user is not a member of the organization", { organization: { isMember: false } }, refuse("no_member")],
  ["no member, with a factor", { organization: { isMember: false }, ...totp }, refuse("no_member")],
  ["no member, after two factors", { organization: { isMember: false }, proof: { aal: "aal2" } }, refuse("no_member")],
  ["a member with a factor", { organization: { isMember: true }, ...totp }, askTotp],

  ["there is a second factor", totp, askTotp],
  ["there is one and the device is trusted", { ...totp, isTrustedDevice: true }, session],
  ["there is one, but both are proven already", { ...totp, proof: { aal: "aal2" } }, session],
  ["there is one, but the application asks nobody", { ...totp, application: { mfa: "off" } }, session],
  ["there is one, required", { ...totp, application: required }, askTotp],
  ["there is one, required, trusted device", { ...totp, application: required, isTrustedDevice: true }, session],
  [
    "there is one, required, within the grace",
    { ...totp, application: { ...required, mfaGrace: 90 * 86_400 } },
    askTotp,
  ],

  ["none is there, and one is required", { application: required }, setUp],
  ["none is there, required, on a trusted device", { application: required, isTrustedDevice: true }, setUp],
  ["none is there, required, but two are proven", { application: required, proof: { aal: "aal2" } }, session],
  ["none is there, required, of an anonymous user", { application: required, user: { isAnonymous: true } }, session],
  ["within the grace of the requirement", { application: { ...required, mfaGrace: 7_201 } }, session],
  ["at the end of that grace", { application: { ...required, mfaGrace: 7_200 } }, setUp],
  [
    "within the grace of a new user",
    { application: { ...required, mfaGrace: 3_601 }, user: { createdAt: NOW - HOUR } },
    session,
  ],
  [
    "at the end of that grace, however new the user",
    { application: { ...required, mfaGrace: 3_600 }, user: { createdAt: NOW - HOUR } },
    setUp,
  ],
  [
    "the grace counts from the user where nobody knows since when a factor is required",
    { application: { ...required, mfaRequiredAt: null, mfaGrace: 60 } },
    setUp,
  ],
];

test.each(CASES)("%s", (_name, difference, next) => {
  expect<unknown>(nextStep(factsOf(difference))).toEqual(next);
});

test("whatever else is true, a method that the application does not allow signs nobody in", () => {
  for (const [name, difference] of CASES) {
    const application = { ...difference.application, signInMethods: new Set<string>() };
    expect([name, nextStep(factsOf({ ...difference, application }))]).toEqual([name, refuse("method_off")] as never);
  }
});
