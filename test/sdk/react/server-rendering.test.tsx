import { expect, test } from "bun:test";
import { renderToString } from "react-dom/server";
import {
  Account,
  english,
  ForgotPassword,
  german,
  SallyportProvider,
  SecondFactor,
  SecondFactorSetup,
  SignedIn,
  SignedOut,
  SignIn,
  SignUp,
  UserButton,
  useAuth,
} from "../../../src/sdk/react/index.ts";

function Actions() {
  return <p>{useAuth() === null ? "no page" : "a page"}</p>;
}

test("outside a page, the signed-in user is unknown, and forms render", () => {
  const html = renderToString(
    <SallyportProvider session={null} texts={{ signIn: "Anmelden" }}>
      <SignedIn>in</SignedIn>
      <SignedOut>out</SignedOut>
      <UserButton />
      <Actions />
      <SignIn />
    </SallyportProvider>,
  );
  expect(html).toStartWith("<p>no page</p><section");
  expect(html).toContain(">Anmelden</h2>");
  expect(html).not.toContain("style=");
});

test("without a provider, the error says what to add", () => {
  expect(() => renderToString(<SignIn />)).toThrow("<SallyportProvider>");
});

test("every component renders outside a page", () => {
  const mfa = { status: "mfa_required", mfa_token: "t", mfa_token_expires_in: 300, methods: ["totp"] } as const;
  const half = { ...mfa, methods: [...mfa.methods], setup_required: false };
  const html = renderToString(
    <SallyportProvider session={null} texts={german}>
      <SignIn methods={["email_code"]} />
      <SignUp />
      <ForgotPassword />
      <SecondFactor mfa={half} onStartAgain={() => {}} />
      <SecondFactorSetup />
      <Account />
    </SallyportProvider>,
  );
  expect(html).toContain("Anmelde-Code per E-Mail</button>");
  expect(html).toContain("Code aus Ihrer Authenticator-App");
  expect(html).not.toContain("style=");
});

test("German has every text of English, and translates it", () => {
  expect(Object.keys(german)).toEqual(Object.keys(english));
  const same = Object.entries(german).filter(([key, text]) => text === english[key as keyof typeof english]);
  expect(same.map(([key]) => key)).toEqual(["passkeys"]);
});
