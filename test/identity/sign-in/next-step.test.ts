import { expect, test } from "bun:test";
import { nextStep, type SignInFacts } from "../../../src/identity/sign-in/next-step.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

/** A difference from the facts that lead to a session. */
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

/** The whole policy of a sign-in. The first column names the difference from a right password of an ordinary user. */
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

  ["the audience is the default audience", { audience: "https://api.example" }, session],
  [
    "the audience is the default audience of an application without audiences",
    {
      audience: "https://id.example/api/1",
      application: { audiences: [], defaultAudience: "https://id.example/api/1" },
    },
    session,
  ],
  [
    "the audience is another audience of the application",
    { audience: "https://two.example", application: { audiences: ["https://api.example", "https://two.example"] } },
    session,
  ],
  ["the audience is foreign", { audience: "https://evil.example" }, refuse("unknown_audience")],
  [
    "the audience is foreign, and two factors are proven",
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
  ["not a member, with a factor", { organization: { isMember: false }, ...totp }, refuse("no_member")],
  [
    "not a member, after two factors",
    { organization: { isMember: false }, proof: { aal: "aal2" } },
    refuse("no_member"),
  ],
  ["a member with a factor", { organization: { isMember: true }, ...totp }, askTotp],

  ["there is a second factor", totp, askTotp],
  ["there is a second factor, and the device is trusted", { ...totp, isTrustedDevice: true }, session],
  ["there is a second factor, but both are already proven", { ...totp, proof: { aal: "aal2" } }, session],
  ["there is a second factor, but the application does not use it", { ...totp, application: { mfa: "off" } }, session],
  ["there is a second factor, and the application requires it", { ...totp, application: required }, askTotp],
  [
    "there is a required second factor, and the device is trusted",
    { ...totp, application: required, isTrustedDevice: true },
    session,
  ],
  [
    "there is a required second factor, within the grace period",
    { ...totp, application: { ...required, mfaGrace: 90 * 86_400 } },
    askTotp,
  ],

  ["there is no second factor, and the application requires one", { application: required }, setUp],
  [
    "there is no second factor, one is required, and the device is trusted",
    { application: required, isTrustedDevice: true },
    setUp,
  ],
  [
    "there is no second factor, one is required, but two are proven",
    { application: required, proof: { aal: "aal2" } },
    session,
  ],
  [
    "there is no second factor, one is required, and the user is anonymous",
    { application: required, user: { isAnonymous: true } },
    session,
  ],
  ["within the grace period of the requirement", { application: { ...required, mfaGrace: 7_201 } }, session],
  ["at the end of that grace period", { application: { ...required, mfaGrace: 7_200 } }, setUp],
  [
    "within the grace period of a new user",
    { application: { ...required, mfaGrace: 3_601 }, user: { createdAt: NOW - HOUR } },
    session,
  ],
  [
    "at the end of that grace period, even for a new user",
    { application: { ...required, mfaGrace: 3_600 }, user: { createdAt: NOW - HOUR } },
    setUp,
  ],
  [
    "the grace period starts with the user if the start of the requirement is unknown",
    { application: { ...required, mfaRequiredAt: null, mfaGrace: 60 } },
    setUp,
  ],
];

test.each(CASES)("%s", (_name, difference, next) => {
  expect<unknown>(nextStep(factsOf(difference))).toEqual(next);
});

test("a method that the application does not allow never signs a user in, whatever the other facts are", () => {
  for (const [name, difference] of CASES) {
    const application = { ...difference.application, signInMethods: new Set<string>() };
    expect([name, nextStep(factsOf({ ...difference, application }))]).toEqual([name, refuse("method_off")] as never);
  }
});
